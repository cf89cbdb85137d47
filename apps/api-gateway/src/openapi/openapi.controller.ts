import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stringify } from 'yaml';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { OpenRoute } from '../http/body-policy.js';
import { sendExactly } from '../http/send-exactly.js';
import type { JsonObject } from './component-schemas.js';
import { openApiDocument } from './openapi-document.js';

/** The description of this API, for programs. */
@Controller('v2')
export class OpenApiController {
  private readonly document: JsonObject;

  constructor(private readonly settings: GatewaySettings) {
    this.document = openApiDocument(settings.config);
  }

  @Get('openapi.json')
  @OpenRoute('ignore')
  json(@Req() request: FastifyRequest): JsonObject {
    return this.documentFor(request);
  }

  @Get('openapi.yaml')
  @OpenRoute('ignore')
  yaml(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendExactly(reply, 'application/yaml', stringify(this.documentFor(request)));
  }

  private documentFor(request: FastifyRequest): JsonObject {
    const url = this.settings.config.publicEndpoint?.replace(/\/+$/, '') ?? baseUrlOf(request.raw);
    return { ...this.document, servers: [{ url }] };
  }
}
