import { All, Controller, HttpCode, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { versionsDocument } from './versions.js';

/** Says which versions of the API there are. */
@Controller()
export class DiscoveryController {
  constructor(private readonly settings: GatewaySettings) {}

  /** Also where every path ends that leads nowhere. */
  @All('/')
  @Body('ignore')
  @HttpCode(300)
  choices(@Req() request: FastifyRequest) {
    return this.document(request);
  }

  @All('versions')
  @Body('ignore')
  @HttpCode(200)
  versions(@Req() request: FastifyRequest) {
    return this.document(request);
  }

  @All('v2')
  @Body('ignore')
  redirect(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    void reply
      .code(302)
      .header('location', `${baseUrlOf(request.raw)}/v2/`)
      .header('content-type', 'text/plain; charset=utf8')
      .send();
  }

  private document(request: FastifyRequest) {
    const { config } = this.settings;
    const baseUrl = config.publicEndpoint?.replace(/\/+$/, '') ?? baseUrlOf(request.raw);
    return versionsDocument(config, baseUrl);
  }
}
