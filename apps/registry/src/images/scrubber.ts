import type { ImageLocation } from '@glimpse/contracts';
import { Database, type ImageLocationRow, type Transaction, toDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { DataRemoval } from '../jobs/data-removal.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { parseMetadata } from './image-parts.js';

const BATCH = 100;

/** With delayed delete: lets go of the data of images that were deleted long enough ago, those that Glance deleted too. */
@Injectable()
export class Scrubber {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    private readonly removal: DataRemoval,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('scrubber', settings.logger, () => this.look());
  }

  /** Does nothing where deletion is not delayed: data that Glance still keeps is then nobody's to remove. */
  start(): void {
    if (this.settings.config.images.delayedDelete)
      this.repeater.start(() => this.settings.config.leases.reaperIntervalMs);
  }

  /** Resolves when it is not at work any more. */
  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Looks once for images whose time is over. */
  async look(): Promise<void> {
    const due = toDatabaseTime(this.clock.now() - this.settings.config.images.scrubTimeMs);
    const images = await this.database.query<{ id: string }>(
      `SELECT id FROM images WHERE status = 'pending_delete' AND deleted = 1 AND deleted_at <= ?
        ORDER BY deleted_at LIMIT ${BATCH}`,
      [due],
    );
    for (const { id } of images) await this.database.unitOfWork.run((tx) => this.scrub(tx, id));
  }

  /** pending_delete → deleted; from now on the image can't be restored. */
  private async scrub(tx: Transaction, id: string): Promise<void> {
    // Compares, since the image may just be restored, or scrubbed by another registry.
    const isMine = await tx.execute(
      "UPDATE images SET status = 'deleted', updated_at = ? WHERE id = ? AND status = 'pending_delete' AND deleted = 1",
      [this.clock.databaseNow(), id],
    );
    if (isMine !== 1) return;
    const rows = await tx.query<Pick<ImageLocationRow, 'value' | 'meta_data'>>(
      "SELECT value, meta_data FROM image_locations WHERE image_id = ? AND status = 'pending_delete' AND deleted = 1",
      [id],
    );
    await tx.execute(
      "UPDATE image_locations SET status = 'deleted' WHERE image_id = ? AND status = 'pending_delete'",
      [id],
    );
    const locations = rows.map((row): ImageLocation => ({
      url: row.value,
      metadata: parseMetadata(row.meta_data),
    }));
    await this.removal.queue(tx, id, locations);
  }
}
