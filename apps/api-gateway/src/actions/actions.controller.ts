import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryImages, registryImports } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { routeNotFound } from '../http/http-error.js';
import { imageIdFrom } from '../images/image-id.js';
import { imagePath, toImageView } from '../images/image-view.js';
import { parseConversionRequest } from './conversion-request.js';

/** What is done to an image as a whole. */
@Controller('v2/images/:id/actions')
export class ActionsController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {}

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

  /** Makes a new image of the disk in this one; the answer is that image. */
  @Post('convert')
  @HttpCode(202)
  async convert(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { config } = this.settings;
    if (!config.import.conversion.onRequest) throw routeNotFound();
    const image = await this.rpc.call(registryImports.convert, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      request: parseConversionRequest(request.body),
    });
    reply.header('location', `${baseUrlOf(request.raw)}${imagePath(image.id)}`);
    return toImageView(image, config);
  }
}
