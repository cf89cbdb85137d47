import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stringify } from 'yaml';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { OpenRoute } from '../http/body-policy.js';
import { sendExactly } from '../http/send-exactly.js';
import type { JsonObject } from '@glimpse/contracts';
import { openApiDocument } from './openapi-document.js';

/** The description of this API, for programs. It is written once; what differs between requests is put behind. */
@Controller('v2')
export class OpenApiController {
  private readonly document: JsonObject;
  private readonly asJson: string;
  private asYaml: string | undefined;

  constructor(private readonly settings: GatewaySettings) {
    this.document = openApiDocument(settings.config);
    this.asJson = JSON.stringify(this.document);
  }

  @Get('openapi.json')
  @OpenRoute('ignore')
  json(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const servers = JSON.stringify(this.serversFor(request));
    sendExactly(reply, 'application/json', `${this.asJson.slice(0, -1)},"servers":${servers}}`);
  }

  @Get('openapi.yaml')
  @OpenRoute('ignore')
  yaml(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.asYaml ??= stringify(this.document);
    sendExactly(
      reply,
      'application/yaml',
      `${this.asYaml}${stringify({ servers: this.serversFor(request) })}`,
    );
  }

  private serversFor(request: FastifyRequest): { url: string }[] {
    const url = this.settings.config.publicEndpoint?.replace(/\/+$/, '') ?? baseUrlOf(request.raw);
    return [{ url }];
  }
}
