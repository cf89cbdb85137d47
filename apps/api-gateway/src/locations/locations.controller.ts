import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { type ImageLocation, registryLocations } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { imageIdFrom } from '../images/image-id.js';
import { parseNewLocation } from './locations.schema.js';

/** Where the data of an image is, for services. */
@Controller('v2/images/:id/locations')
export class LocationsController {
  constructor(private readonly rpc: RpcClient) {}

  @Post()
  @HttpCode(202)
  async add(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const location = parseNewLocation(request.body);
    await this.rpc.call(registryLocations.add, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      ...location,
    });
  }

  @Get()
  @Body('reject')
  async list(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ImageLocation[]> {
    const { locations } = await this.rpc.call(registryLocations.list, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
    });
    return locations;
  }
}
