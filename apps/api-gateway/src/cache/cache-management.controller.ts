import { All, Controller, HttpCode, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { CacheAdminService } from './cache-admin.service.js';
import type { CachedImageView } from './cache.schema.js';

type Actions<T> = Readonly<Record<string, () => T | Promise<T>>>;

/**
 * The routes that Glance has with the flavour `cachemanagement`. They answer 404, not 405, to other methods, and never
 * look whether an image exists.
 */
@Controller('v2')
export class CacheManagementController {
  constructor(private readonly cache: CacheAdminService) {}

  @All('cached_images')
  @Body('ignore')
  @HttpCode(200)
  cachedImages(
    @Req() request: FastifyRequest,
  ): Promise<{ cached_images: CachedImageView[] } | { num_deleted: number }> {
    return this.run<{ cached_images: CachedImageView[] } | { num_deleted: number }>(request, {
      GET: () => ({ cached_images: this.cache.listCached() }),
      DELETE: async () => ({ num_deleted: await this.cache.clearCached() }),
    });
  }

  @All('cached_images/:id')
  @Body('ignore')
  @HttpCode(200)
  async cachedImage(@Param('id') id: string, @Req() request: FastifyRequest): Promise<null> {
    await this.run(request, { DELETE: () => this.cache.removeCached(id) });
    return null;
  }

  @All('queued_images')
  @Body('ignore')
  @HttpCode(200)
  queuedImages(
    @Req() request: FastifyRequest,
  ): Promise<{ queued_images: string[] } | { num_deleted: number }> {
    return this.run<{ queued_images: string[] } | { num_deleted: number }>(request, {
      GET: () => ({ queued_images: this.cache.listQueued() }),
      DELETE: async () => ({ num_deleted: await this.cache.clearQueued() }),
    });
  }

  @All('queued_images/:id')
  @Body('ignore')
  @HttpCode(200)
  async queuedImage(@Param('id') id: string, @Req() request: FastifyRequest): Promise<null> {
    await this.run(request, {
      PUT: () => this.cache.enqueue(id),
      DELETE: () => this.cache.dequeue(id),
    });
    return null;
  }

  private async run<T>(request: FastifyRequest, actions: Actions<T>): Promise<T> {
    const action = Object.hasOwn(actions, request.method) ? actions[request.method] : undefined;
    if (action === undefined) throw routeNotFound();
    await this.cache.authorize(callerOf(request), 'manage_image_cache');
    return action();
  }
}
