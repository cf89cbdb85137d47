import { Controller } from '@nestjs/common';
import { HandleEvent } from '@glimpse/bus';
import { type ReceivedEvent, imageEvents } from '@glimpse/contracts';
import { CacheQueue } from './cache-queue.js';
import { ImageCaching } from './image-caching.js';

/** Every gateway hears of deletions; one that misses them finds out by `CacheUpkeep`. */
@Controller()
export class CacheEvents {
  constructor(
    private readonly caching: ImageCaching,
    private readonly queue: CacheQueue,
  ) {}

  @HandleEvent(imageEvents.deleted, { delivery: 'instance' })
  async dropDeleted({ payload }: ReceivedEvent<typeof imageEvents.deleted>): Promise<void> {
    await this.queue.remove(payload.imageId);
    await this.caching.cache?.remove(payload.imageId);
  }
}
