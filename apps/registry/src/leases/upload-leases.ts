import { type LeaseRow, type SqlReader, type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { UPLOADS_REMEMBERED_FOR_MS } from '../transfers/transfer-rows.js';
import { TransferFeed } from '../transfers/transfer-feed.js';
import { UploadNotes } from '../transfers/upload-notes.js';
import { InstanceLeases } from './instance-leases.js';

interface UploadLease extends Pick<LeaseRow, 'id' | 'state' | 'size'> {
  image_id: string;
  store_id: string;
}

export type EndOutcome =
  | { readonly outcome: 'ended'; readonly imageId: string; readonly storeId: string }
  /** It was ended so before. */
  | { readonly outcome: 'repeated' }
  /** It was ended otherwise, or its leftovers are being removed. */
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'unknown' };

export interface UploadLeaseKey {
  readonly uploadId: string;
  readonly imageId: string;
  readonly storeId: string;
}

const toKey = (row: UploadLease): UploadLeaseKey => ({
  uploadId: row.id,
  imageId: row.image_id,
  storeId: row.store_id,
});

/**
 * The right of an upload to write an image's data. It is `held` for as long as its instance's lease lasts; then it is
 * `reaping` until what it left behind is removed, and nobody else writes that image before.
 */
@Injectable()
export class UploadLeases {
  constructor(
    private readonly instances: InstanceLeases,
    private readonly notes: UploadNotes,
    private readonly feed: TransferFeed,
    private readonly clock: Clock,
  ) {}

  async find(sql: SqlReader, uploadId: string): Promise<UploadLease | undefined> {
    const [row] = await sql.query<UploadLease>(
      "SELECT id, state, image_id, store_id, size FROM leases WHERE kind = 'upload' AND id = ?",
      [uploadId],
    );
    return row;
  }

  /** Throws a `UniqueViolation` where there was an upload of that id, whatever became of it. */
  async take(
    tx: Transaction,
    upload: { uploadId: string; imageId: string; storeId: string; instanceId: string; size: number | null },
  ): Promise<void> {
    // A sign of life as good as a heartbeat, and the first one of a process that has just started.
    await this.instances.renew(tx, { instanceId: upload.instanceId });
    await tx.insert('leases', [
      {
        kind: 'upload',
        id: upload.uploadId,
        owner: upload.instanceId,
        state: 'held',
        expires_at: null,
        image_id: upload.imageId,
        store_id: upload.storeId,
        size: upload.size,
        created_at: this.clock.now(),
      },
    ]);
    this.feed.uploadChanged(tx, upload.uploadId);
  }

  /** The upload is whole, with its `size` in bytes. Only the first of those who try gets `ended`. */
  async commit(tx: Transaction, uploadId: string, size: number): Promise<EndOutcome> {
    const end = await this.end(tx, uploadId, 'committed');
    if (end.outcome === 'ended') await this.notes.done(tx, uploadId, size);
    return end;
  }

  /**
   * The upload was given up. That is remembered also of one that was never begun: its beginning may still be on its
   * way, and nobody would end it.
   */
  async abort(
    tx: Transaction,
    upload: { uploadId: string; imageId: string; reason: string },
  ): Promise<EndOutcome> {
    const outcome = await this.end(tx, upload.uploadId, 'aborted');
    if (outcome.outcome === 'ended') await this.notes.failed(tx, upload.uploadId, upload.reason);
    if (outcome.outcome !== 'unknown') return outcome;
    try {
      await tx.insert('leases', [
        {
          kind: 'upload',
          id: upload.uploadId,
          owner: '',
          state: 'aborted',
          expires_at: this.clock.now() + UPLOADS_REMEMBERED_FOR_MS,
          image_id: upload.imageId,
          created_at: this.clock.now(),
        },
      ]);
    } catch (error) {
      // It was begun just now.
      if (error instanceof UniqueViolation) return this.end(tx, upload.uploadId, 'aborted');
      throw error;
    }
    return outcome;
  }

  private async end(tx: Transaction, uploadId: string, state: 'committed' | 'aborted'): Promise<EndOutcome> {
    const ended = await tx.execute(
      "UPDATE leases SET state = ?, expires_at = ? WHERE kind = 'upload' AND id = ? AND state = 'held'",
      [state, this.clock.now() + UPLOADS_REMEMBERED_FOR_MS, uploadId],
    );
    const lease = await this.find(tx, uploadId);
    if (lease === undefined) return { outcome: 'unknown' };
    if (ended === 1) return { outcome: 'ended', imageId: lease.image_id, storeId: lease.store_id };
    return { outcome: lease.state === state ? 'repeated' : 'lost' };
  }

  /** Uploads whose instances are dead. */
  async findOrphans(sql: SqlReader, limit: number): Promise<UploadLeaseKey[]> {
    const rows = await sql.query<UploadLease>(
      `SELECT u.id, u.image_id, u.store_id FROM leases u
         LEFT JOIN leases i ON i.kind = 'instance' AND i.id = u.owner AND i.expires_at > ?
        WHERE u.kind = 'upload' AND u.state = 'held' AND i.id IS NULL
        ORDER BY u.id LIMIT ${limit}`,
      [this.clock.now()],
    );
    return rows.map(toKey);
  }

  async findHeld(sql: SqlReader, uploadId: string): Promise<UploadLeaseKey | undefined> {
    const row = await this.find(sql, uploadId);
    return row?.state === 'held' ? toKey(row) : undefined;
  }

  async findOf(sql: SqlReader, instanceId: string): Promise<UploadLeaseKey[]> {
    const rows = await sql.query<UploadLease>(
      "SELECT id, image_id, store_id FROM leases WHERE kind = 'upload' AND owner = ? AND state = 'held'",
      [instanceId],
    );
    return rows.map(toKey);
  }

  /** From now on only the removal of its leftovers can end it. False where it was ended otherwise. */
  async reap(tx: Transaction, uploadId: string, reason: string): Promise<boolean> {
    const matched = await tx.execute(
      "UPDATE leases SET state = 'reaping' WHERE kind = 'upload' AND id = ? AND state = 'held'",
      [uploadId],
    );
    if (matched === 1) await this.notes.failed(tx, uploadId, reason);
    return matched === 1;
  }

  /** Its leftovers are removed. False where it was not being reaped. */
  async drop(tx: Transaction, uploadId: string): Promise<boolean> {
    const matched = await tx.execute(
      "DELETE FROM leases WHERE kind = 'upload' AND id = ? AND state = 'reaping'",
      [uploadId],
    );
    return matched === 1;
  }

  /** Forgets uploads that ended long ago. */
  async forgetEnded(tx: Transaction): Promise<void> {
    await tx.execute("DELETE FROM leases WHERE kind = 'upload' AND expires_at < ?", [this.clock.now()]);
  }
}
