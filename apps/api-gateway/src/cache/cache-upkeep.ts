import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import { MAX_CACHED_IMAGES_ASKED, registryCache } from '@glimpse/contracts';
import { GatewaySettings } from '../gateway-settings.js';
import { ImageCaching } from './image-caching.js';

const EVERY_MS = 3_600_000;
const RETRY_MS = 60_000;

/**
 * Removes from the cache what was deleted while this gateway did not hear of it. It is not served in between: the
 * registry is asked at each download.
 */
@Injectable()
export class CacheUpkeep {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly rpc: RpcClient,
    private readonly caching: ImageCaching,
    private readonly settings: GatewaySettings,
  ) {}

  /** Looks now, and every hour. */
  start(): void {
    if (this.caching.cache !== undefined) void this.look();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  /** Removes the images that are deleted; gives their number. Rejects where the registry can't be asked. */
  async removeDeleted(): Promise<number> {
    const { cache } = this.caching;
    const imageIds = cache?.list().map(({ imageId }) => imageId) ?? [];
    let removed = 0;
    for (let at = 0; at < imageIds.length; at += MAX_CACHED_IMAGES_ASKED) {
      const ids = imageIds.slice(at, at + MAX_CACHED_IMAGES_ASKED);
      const deleted = await this.rpc.call(registryCache.findDeleted, { ids });
      for (const id of deleted.ids) await cache?.remove(id);
      removed += deleted.ids.length;
    }
    return removed;
  }

  private async look(): Promise<void> {
    let pauseMs = EVERY_MS;
    try {
      const removed = await this.removeDeleted();
      if (removed > 0) this.settings.logger.info({ removed }, 'images that were deleted left the cache');
    } catch (error) {
      pauseMs = RETRY_MS;
      this.settings.logger.warn({ err: error }, 'cannot ask which cached images were deleted');
    }
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.look(), pauseMs);
    this.timer.unref();
  }
}
