import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryImages } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { imageIdFrom } from '../images/image-id.js';

/** What is done to an image as a whole. */
@Controller('v2/images/:id/actions')
export class ActionsController {
  constructor(private readonly rpc: RpcClient) {}

  @Post('deactivate')
  @Body('reject')
  @HttpCode(204)
  async deactivate(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryImages.deactivate, { ctx: callerOf(request), id: imageIdFrom(id) });
  }

  @Post('reactivate')
  @Body('reject')
  @HttpCode(204)
  async reactivate(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryImages.reactivate, { ctx: callerOf(request), id: imageIdFrom(id) });
  }
}
