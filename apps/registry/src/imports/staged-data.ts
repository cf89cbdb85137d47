import type { ImageLocation } from '@glimpse/contracts';
import type { SqlReader, StagedDataRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { parseMetadata } from '../images/image-parts.js';
import { JobQueue } from '../jobs/job-queue.js';

/** Data that waits to be imported. */
export interface Staged {
  readonly location: ImageLocation;
  readonly size: number;
}

/** Where the data of images is that was staged and not imported yet. Clients never see these as locations. */
@Injectable()
export class StagedData {
  constructor(
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  async find(sql: SqlReader, imageId: string): Promise<Staged | undefined> {
    const [row] = await sql.query<StagedDataRow>(
      'SELECT url, metadata, size FROM staged_data WHERE image_id = ?',
      [imageId],
    );
    if (row === undefined) return undefined;
    return { location: { url: row.url, metadata: parseMetadata(row.metadata) }, size: row.size };
  }

  async put(tx: Transaction, imageId: string, { location, size }: Staged): Promise<void> {
    await tx.insert('staged_data', [
      {
        image_id: imageId,
        url: location.url,
        metadata: JSON.stringify(location.metadata),
        size,
        staged_at: this.clock.now(),
      },
    ]);
  }

  /** Forgets what was staged of the image; a job removes it. Nothing where nothing is. */
  async discard(tx: Transaction, imageId: string): Promise<void> {
    const staged = await this.find(tx, imageId);
    if (staged === undefined) return;
    await tx.execute('DELETE FROM staged_data WHERE image_id = ?', [imageId]);
    await this.jobs.enqueue(tx, 'delete-data', { imageId, locations: [staged.location] });
  }
}
