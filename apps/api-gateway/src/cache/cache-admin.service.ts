import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import { type CacheRule, type Caller, type ResponseOf, registryCache } from '@glimpse/contracts';
import { GatewaySettings } from '../gateway-settings.js';
import { HttpError } from '../http/http-error.js';
import { CacheQueue } from './cache-queue.js';
import { CacheUpkeep } from './cache-upkeep.js';
import { type CachedImageView, toCachedImageView } from './cache.schema.js';
import type { ImageCache } from './image-cache.js';
import { ImageCaching } from './image-caching.js';

export type ImageToCache = NonNullable<ResponseOf<(typeof registryCache)['authorize']>['image']>;

/** What the management routes do, once it is known that the caller may. */
@Injectable()
export class CacheAdminService {
  constructor(
    private readonly rpc: RpcClient,
    private readonly caching: ImageCaching,
    private readonly queue: CacheQueue,
    private readonly upkeep: CacheUpkeep,
    private readonly settings: GatewaySettings,
  ) {}

  /** Refuses callers who may not. A gateway without a cache says so only to those who may. */
  async authorize(ctx: Caller, rule: CacheRule): Promise<void> {
    await this.rpc.call(registryCache.authorize, { ctx, rule });
    this.cache();
  }

  /** As `authorize`, for something done to an image that exists. */
  async authorizeOn(ctx: Caller, rule: CacheRule, id: string): Promise<ImageToCache | null> {
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

  /** Fetches the image in the background. Refuses one that never fits. */
  async enqueueImage({ id, size }: ImageToCache): Promise<void> {
    const { maxBytes } = this.settings.config.cache;
    if (size != null && size > maxBytes)
      throw new HttpError(
        413,
        `The image is larger than the cache of this server, which has ${maxBytes} bytes.`,
      );
    await this.enqueue(id);
  }

  /** Fetches the image in the background, where there is one. */
  async enqueue(imageId: string): Promise<void> {
    await this.onDisk(this.queue.add(imageId));
  }

  async remove(imageId: string): Promise<void> {
    await this.dequeue(imageId);
    await this.removeCached(imageId);
  }

  async removeCached(imageId: string): Promise<void> {
    await this.onDisk(this.cache().remove(imageId));
  }

  async dequeue(imageId: string): Promise<void> {
    await this.onDisk(this.queue.remove(imageId));
  }

  clearCached(): Promise<number> {
    return this.onDisk(this.cache().clear());
  }

  clearQueued(): Promise<number> {
    return this.onDisk(this.queue.clear());
  }

  /** Removes what belongs to no image, or to one that was deleted. */
  async clean(): Promise<void> {
    await this.onDisk(this.cache().clean());
    await this.upkeep.removeDeleted();
  }

  prune(): Promise<{ files: number; bytes: number }> {
    return this.onDisk(this.cache().prune());
  }

  /** What the disk does not do is unavailable; the log says why. */
  private async onDisk<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.settings.logger.error({ err: error }, 'the directory of the cache cannot be used');
      throw new HttpError(503, 'The directory of the image cache cannot be used.');
    }
  }

  private cache(): ImageCache {
    const { cache } = this.caching;
    if (cache === undefined) throw new HttpError(404, 'This server does not cache images.');
    return cache;
  }
}

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;
