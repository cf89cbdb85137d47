import { Controller, Get, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryUsage } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { LoneRoute } from '../http/body-policy.js';

/** How much of its limits the caller's project uses. */
@Controller('v2/info/usage')
export class UsageController {
  constructor(private readonly rpc: RpcClient) {}

  @Get()
  @LoneRoute('ignore')
  async show(@Req() request: FastifyRequest) {
    const usage = await this.rpc.call(registryUsage.get, { ctx: callerOf(request) });
    return {
      usage: {
        image_size_total: usage.imageSizeTotal,
        image_stage_total: usage.imageStageTotal,
        image_count_total: usage.imageCountTotal,
        image_count_uploading: usage.imageCountUploading,
      },
    };
  }
}
