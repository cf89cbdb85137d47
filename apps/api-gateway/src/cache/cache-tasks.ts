import { Injectable } from '@nestjs/common';
import { CacheQueue } from './cache-queue.js';
import { CacheUpkeep } from './cache-upkeep.js';
import { ImageCaching } from './image-caching.js';

/** What the cache does by itself, and its end. */
@Injectable()
export class CacheTasks {
  constructor(
    private readonly queue: CacheQueue,
    private readonly upkeep: CacheUpkeep,
    private readonly caching: ImageCaching,
  ) {}

  async start(): Promise<void> {
    this.upkeep.start();
    await this.queue.start();
  }

  /** Ends the fills and closes the cache; nobody reads from it any more. */
  async stop(): Promise<void> {
    this.upkeep.stop();
    await Promise.all([this.queue.stop(), this.caching.close()]);
  }
}
