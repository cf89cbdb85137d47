import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import { type CacheRule, type Caller, type ImageStatus, registryCache } from '@glimpse/contracts';
import { HttpError } from '../http/http-error.js';
import { CacheQueue } from './cache-queue.js';
import { CacheUpkeep } from './cache-upkeep.js';
import { type CachedImageView, toCachedImageView } from './cache.schema.js';
import type { ImageCache } from './image-cache.js';
import { ImageCaching } from './image-caching.js';

/** What the management routes do, once it is known that the caller may. */
@Injectable()
export class CacheAdminService {
  constructor(
    private readonly rpc: RpcClient,
    private readonly caching: ImageCaching,
    private readonly queue: CacheQueue,
    private readonly upkeep: CacheUpkeep,
  ) {}

  /** Refuses callers who may not. A gateway without a cache says so only to those who may. */
  async authorize(ctx: Caller, rule: CacheRule): Promise<void> {
    await this.rpc.call(registryCache.authorize, { ctx, rule });
    this.cache();
  }

  /** As `authorize`, for something done to an image that exists. */
  async authorizeOn(
    ctx: Caller,
    rule: CacheRule,
    id: string,
  ): Promise<{ id: string; status: ImageStatus } | null> {
    const { image } = await this.rpc.call(registryCache.authorize, { ctx, rule, id });
    this.cache();
    return image;
  }

  isKnown(imageId: string): boolean {
    return this.caching.cache?.has(imageId) === true || this.queue.has(imageId);
  }

  listCached(): CachedImageView[] {
    return this.cache().list().map(toCachedImageView);
  }

  listQueued(): string[] {
    return this.queue.list();
  }

  /** Fetches the image in the background. */
  enqueue(imageId: string): Promise<void> {
    return this.queue.add(imageId);
  }

  async remove(imageId: string): Promise<void> {
    await this.dequeue(imageId);
    await this.removeCached(imageId);
  }

  async removeCached(imageId: string): Promise<void> {
    await this.cache().remove(imageId);
  }

  async dequeue(imageId: string): Promise<void> {
    await this.queue.remove(imageId);
  }

  clearCached(): Promise<number> {
    return this.cache().clear();
  }

  clearQueued(): Promise<number> {
    return this.queue.clear();
  }

  /** Removes what belongs to no image, or to one that was deleted. */
  async clean(): Promise<void> {
    await this.cache().clean();
    await this.upkeep.removeDeleted();
  }

  prune(): Promise<{ files: number; bytes: number }> {
    return this.cache().prune();
  }

  private cache(): ImageCache {
    const { cache } = this.caching;
    if (cache === undefined) throw new HttpError(404, 'This server does not cache images.');
    return cache;
  }
}
