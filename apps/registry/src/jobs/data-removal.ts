import type { ImageLocation } from '@glimpse/contracts';
import { type Transaction, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { JobQueue } from './job-queue.js';
import { dataNameOf, imageIdsIn } from './same-data.js';

/** Lets go of the data of locations that an image refers to no more. */
@Injectable()
export class DataRemoval {
  constructor(private readonly jobs: JobQueue) {}

  /**
   * A job removes the data, but for that which an image still refers to: Glance lets one be registered for several. The
   * locations are marked as deleted before. Of two that end at once neither may see the other gone: then the data stays.
   */
  async queue(tx: Transaction, imageId: string, locations: readonly ImageLocation[]): Promise<void> {
    if (locations.length === 0) return;
    const inUse = await this.findInUse(tx, imageId, [...new Set(locations.map(({ url }) => url))]);
    const removable = locations.filter(({ url }) => !inUse.has(dataNameOf(url)));
    if (removable.length > 0)
      await this.jobs.enqueue(tx, 'delete-data', {
        imageId,
        locations: removable.map(({ url, metadata }) => ({ url, metadata })),
      });
  }

  /**
   * Names of data that an image has, or one that can still be restored. One with the URL itself may be any; data that is
   * written in another way is looked for at this image, and at the one that it is named after.
   */
  private async findInUse(tx: Transaction, imageId: string, urls: readonly string[]): Promise<Set<string>> {
    const live = "(deleted = 0 OR status = 'pending_delete')";
    const images = [...new Set([imageId, ...urls.flatMap(imageIdsIn)])];
    const exact = await tx.query<{ value: string }>(
      `SELECT value FROM image_locations WHERE value IN (${placeholders(urls)}) AND ${live}`,
      urls,
    );
    const near = await tx.query<{ value: string }>(
      `SELECT value FROM image_locations WHERE image_id IN (${placeholders(images)}) AND ${live}`,
      images,
    );
    return new Set([...exact, ...near].map(({ value }) => dataNameOf(value)));
  }
}
