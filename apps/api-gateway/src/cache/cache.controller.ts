import { Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Caller, ServiceError, isServiceError } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { HttpError } from '../http/http-error.js';
import { imageIdFrom } from '../images/image-id.js';
import { CacheAdminService } from './cache-admin.service.js';
import type { CacheState, Pruned } from './cache.schema.js';

const TARGETS = new Set(['cache', 'queue', '']);

/** The cache of the gateway that receives the request. */
@Controller('v2/cache')
export class CacheController {
  constructor(private readonly cache: CacheAdminService) {}

  @Get()
  @Body('reject')
  async list(@Req() request: FastifyRequest): Promise<CacheState> {
    await this.cache.authorize(callerOf(request), 'cache_list');
    return { cached_images: this.cache.listCached(), queued_images: this.cache.listQueued() };
  }

  @Delete()
  @Body('ignore')
  @HttpCode(204)
  async clear(
    @Req() request: FastifyRequest,
    @Headers('x-image-cache-clear-target') header: string | undefined,
  ): Promise<void> {
    await this.cache.authorize(callerOf(request), 'cache_delete');
    const target = (header ?? '').toLowerCase();
    if (!TARGETS.has(target))
      throw new ServiceError('REQUEST_INVALID', 'x-image-cache-clear-target must be "cache" or "queue".');
    if (target !== 'cache') await this.cache.clearQueued();
    if (target !== 'queue') await this.cache.clearCached();
  }

  @Put(':id')
  @Body('ignore')
  @HttpCode(202)
  async enqueue(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const image = await this.cache.authorizeOn(callerOf(request), 'cache_image', imageIdFrom(id));
    if (image?.status !== 'active')
      throw new ServiceError('REQUEST_INVALID', 'Only images with status active can be queued for caching.');
    await this.cache.enqueueImage(image);
  }

  @Delete(':id')
  @Body('ignore')
  @HttpCode(204)
  async remove(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.cache.remove(await this.findRemovable(callerOf(request), imageIdFrom(id)));
  }

  /** Gateways don't know of each other's caches: only Glance's driver with a table of nodes does. */
  @Get('nodes/:id')
  @Body('reject')
  async nodes(@Req() request: FastifyRequest): Promise<never> {
    await this.cache.authorize(callerOf(request), 'list_cached_nodes');
    throw new HttpError(409, 'The caches of this service are not kept in one place.');
  }

  @Post('clean')
  @Body('ignore')
  @HttpCode(200)
  async clean(@Req() request: FastifyRequest): Promise<void> {
    await this.cache.authorize(callerOf(request), 'cache_clean');
    await this.cache.clean();
  }

  @Post('prune')
  @Body('ignore')
  @HttpCode(200)
  async prune(@Req() request: FastifyRequest): Promise<Pruned> {
    await this.cache.authorize(callerOf(request), 'cache_prune');
    const { files, bytes } = await this.cache.prune();
    return { total_files_pruned: files, total_bytes_pruned: bytes };
  }

  /** An image, or what is left of one in the cache. */
  private async findRemovable(ctx: Caller, id: string): Promise<string> {
    try {
      return (await this.cache.authorizeOn(ctx, 'cache_delete', id))?.id ?? id;
    } catch (error) {
      if (!isServiceError(error, 'IMAGE_NOT_FOUND') || !this.cache.isKnown(id)) throw error;
    }
    await this.cache.authorize(ctx, 'cache_delete');
    return id;
  }
}
