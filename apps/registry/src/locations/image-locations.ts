import { type ImageLocation, imageEvents, storeOf } from '@glimpse/contracts';
import type { ImageLocationRow, Transaction } from '@glimpse/persistence';
import { placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { parseMetadata } from '../images/image-parts.js';
import { bestFirst } from '../images/location-order.js';
import { DataRemoval } from '../jobs/data-removal.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { LocationStores } from './location-stores.js';

/** A location with the row that holds it. */
export interface RecordedLocation extends ImageLocation {
  readonly rowId: number;
  /** Out of service: what was found there is not the image's data. */
  readonly isDamaged: boolean;
}

/** The locations of images: what is changed here is announced, and data that nobody refers to any more is removed. */
@Injectable()
export class ImageLocations {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly removal: DataRemoval,
    private readonly stores: LocationStores,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Best first, with those that are out of service. The transaction holds the image. */
  async find(tx: Transaction, imageId: string): Promise<RecordedLocation[]> {
    const rows = await tx.query<
      Pick<ImageLocationRow, 'id' | 'value' | 'meta_data'> & { damaged_at: number | null }
    >(
      `SELECT l.id, l.value, l.meta_data, c.damaged_at
         FROM image_locations l LEFT JOIN location_checks c ON c.location_id = l.id
        WHERE l.image_id = ? AND l.deleted = 0 AND l.status = 'active' ORDER BY l.id`,
      [imageId],
    );
    const recorded = rows.map((row) =>
      this.stores.named({
        rowId: row.id,
        url: row.value,
        metadata: parseMetadata(row.meta_data),
        isDamaged: row.damaged_at !== null,
      }),
    );
    return bestFirst(recorded, this.settings.config);
  }

  async add(tx: Transaction, imageId: string, location: ImageLocation): Promise<void> {
    const now = this.clock.databaseNow();
    await tx.insert('image_locations', [
      {
        image_id: imageId,
        value: location.url,
        meta_data: JSON.stringify(location.metadata),
        status: 'active',
        created_at: now,
        updated_at: now,
        deleted: 0,
      },
    ]);
    await this.outbox.write(tx, imageEvents.locationAdded, imageId, eventOf(imageId, location));
  }

  async setMetadata(tx: Transaction, rowId: number, metadata: ImageLocation['metadata']): Promise<void> {
    await tx.execute('UPDATE image_locations SET meta_data = ?, updated_at = ? WHERE id = ?', [
      JSON.stringify(metadata),
      this.clock.databaseNow(),
      rowId,
    ]);
  }

  /** Forgets the locations; a job removes their data. */
  async remove(tx: Transaction, imageId: string, locations: readonly RecordedLocation[]): Promise<void> {
    await this.forget(tx, imageId, locations);
    await this.removal.queue(tx, imageId, locations);
  }

  /**
   * Forgets what a `queued` image still refers to: data that was registered and failed its verification. Whatever gives
   * the image other data does this in its transaction, so that nobody is ever served the wrong one.
   */
  async forgetUnverified(tx: Transaction, imageId: string): Promise<void> {
    await this.forget(tx, imageId, await this.find(tx, imageId));
  }

  /** Forgets the locations and leaves their data alone: it is whoever's who registered them. */
  async forget(tx: Transaction, imageId: string, locations: readonly RecordedLocation[]): Promise<void> {
    if (locations.length === 0) return;
    const now = this.clock.databaseNow();
    await tx.execute(
      `UPDATE image_locations SET deleted = 1, deleted_at = ?, updated_at = ?, status = 'deleted'
        WHERE id IN (${placeholders(locations)})`,
      [now, now, ...locations.map(({ rowId }) => rowId)],
    );
    for (const location of locations)
      await this.outbox.write(tx, imageEvents.locationRemoved, imageId, eventOf(imageId, location));
  }
}

const eventOf = (imageId: string, location: ImageLocation) => ({
  imageId,
  storeId: storeOf(location) ?? null,
});
