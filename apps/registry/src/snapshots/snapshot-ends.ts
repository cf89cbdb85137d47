import {
  type EventDefinition,
  type Image,
  type PayloadOf,
  type SnapshotError,
  snapshotEvents,
} from '@glimpse/contracts';
import type { SnapshotRequestRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { snapshotsEnded } from './snapshot-metrics.js';
import { aboutSnapshot, findSnapshotOf } from './snapshot-requests.repository.js';

type End = 'completed' | 'failed' | 'cancelled';
type About = NonNullable<ReturnType<typeof aboutSnapshot>>;

const MAX_MESSAGE_LENGTH = 2_000;

/**
 * How snapshots end, in the transaction in which their images do. Each ends once; an image that is no snapshot's, or that of
 * one that has ended, is let be.
 */
@Injectable()
export class SnapshotEnds {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
  ) {}

  /** The image is active. */
  async complete(tx: Transaction, image: Image): Promise<void> {
    const { size, virtualSize, checksum, osHashAlgo, osHashValue, stores } = image;
    const data = { size, checksum, osHashAlgo, osHashValue };
    const row = await this.end(tx, image.id, 'completed', { data: JSON.stringify(data), error: null });
    await this.announce(tx, row, snapshotEvents.completed, (about) => ({
      ...about,
      size: size ?? 0,
      virtual_size: virtualSize,
      checksum,
      os_hash_algo: osHashAlgo ?? '',
      os_hash_value: osHashValue ?? '',
      stores,
    }));
  }

  /** Nothing comes of it. Answers whether the image was made for it, and is nobody's now. */
  async fail(tx: Transaction, imageId: string, why: SnapshotError): Promise<boolean> {
    return this.comeToNothing(tx, imageId, 'failed', why);
  }

  /** Somebody ended it, or deletes its image. Answers as `fail`. */
  async cancel(tx: Transaction, imageId: string, why: SnapshotError): Promise<boolean> {
    return this.comeToNothing(tx, imageId, 'cancelled', why);
  }

  private async comeToNothing(
    tx: Transaction,
    imageId: string,
    end: Exclude<End, 'completed'>,
    { code, message }: SnapshotError,
  ): Promise<boolean> {
    const error = { code, message: message.slice(0, MAX_MESSAGE_LENGTH) };
    const row = await this.end(tx, imageId, end, { data: null, error: JSON.stringify(error) });
    await this.announce(tx, row, snapshotEvents[end], (about) => ({ ...about, error }));
    return row !== undefined;
  }

  private async end(
    tx: Transaction,
    imageId: string,
    end: End,
    { data, error }: Pick<SnapshotRequestRow, 'data' | 'error'>,
  ): Promise<SnapshotRequestRow | undefined> {
    const matched = await tx.execute(
      `UPDATE snapshot_requests SET status = ?, data = ?, error = ?, updated_at = ?
        WHERE image_id = ? AND status = 'accepted'`,
      [end, data, error, this.clock.now(), imageId],
    );
    if (matched === 0) return undefined;
    tx.afterCommit(() => snapshotsEnded.inc({ outcome: end }));
    return findSnapshotOf(tx, imageId);
  }

  private async announce<D extends EventDefinition>(
    tx: Transaction,
    row: SnapshotRequestRow | undefined,
    event: D,
    payloadOf: (about: About) => PayloadOf<D>,
  ): Promise<void> {
    const about = row === undefined ? undefined : aboutSnapshot(row);
    if (about !== undefined) await this.outbox.write(tx, event, about.image_id, payloadOf(about));
  }
}
