import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryVerification } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { imageIdFrom } from '../images/image-id.js';
import { toVerificationView } from './verification.schema.js';

/** Whether the data of an image is still what was stored. Glance does not have it. */
@Controller('v2/images/:id')
export class VerificationController {
  constructor(private readonly rpc: RpcClient) {}

  @Get('verification')
  @Body('reject')
  async show(@Param('id') id: string, @Req() request: FastifyRequest) {
    const call = { ctx: callerOf(request), id: imageIdFrom(id) };
    return toVerificationView((await this.rpc.call(registryVerification.get, call)).copies);
  }

  @Post('actions/verify')
  @Body('reject')
  @HttpCode(202)
  async verify(@Param('id') id: string, @Req() request: FastifyRequest) {
    const call = { ctx: callerOf(request), id: imageIdFrom(id) };
    return toVerificationView((await this.rpc.call(registryVerification.request, call)).copies);
  }
}
