import { asyncApiDocument } from '@glimpse/bus';
import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import { OpenRoute } from '../http/body-policy.js';
import { sendExactly } from '../http/send-exactly.js';

/** The description of the messages on the bus, for programs. */
@Controller('v2')
export class AsyncApiController {
  private readonly document = asyncApiDocument();

  @Get('asyncapi.json')
  @OpenRoute('ignore')
  json(@Res() reply: FastifyReply): void {
    sendExactly(reply, 'application/json', JSON.stringify(this.document));
  }

  @Get('asyncapi.yaml')
  @OpenRoute('ignore')
  yaml(@Res() reply: FastifyReply): void {
    sendExactly(reply, 'application/yaml', stringify(this.document));
  }
}
