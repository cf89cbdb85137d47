import type { Progress } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { TransferFeed } from './transfer-feed.js';
import type { UploadNote } from './transfer-rows.js';

/** Notes how far uploads have come, and how they ended, on their leases. */
@Injectable()
export class UploadNotes {
  constructor(
    private readonly feed: TransferFeed,
    private readonly clock: Clock,
  ) {}

  /** Nothing where the instance does not hold the upload (any more). */
  async progress(
    tx: Transaction,
    { instanceId, uploadId, progress }: { instanceId: string; uploadId: string; progress: Progress },
  ): Promise<void> {
    const matched = await tx.execute(
      "UPDATE leases SET progress = ? WHERE kind = 'upload' AND id = ? AND owner = ? AND state = 'held'",
      [this.note(progress), uploadId, instanceId],
    );
    if (matched === 1) this.feed.uploadChanged(tx, uploadId);
  }

  /** All of its bytes are where they belong. */
  async done(tx: Transaction, uploadId: string, size: number): Promise<void> {
    await this.write(tx, uploadId, this.note({ phase: 'done', bytesDone: size, bytesTotal: size }));
  }

  /** It came to nothing. */
  async failed(tx: Transaction, uploadId: string, error: string): Promise<void> {
    await this.write(
      tx,
      uploadId,
      this.note({ phase: 'failed', bytesDone: 0, bytesTotal: null }, error.slice(0, MAX_ERROR)),
    );
  }

  private note(progress: Progress, error?: string): string {
    const note: UploadNote = { ...progress, at: this.clock.now(), ...(error === undefined ? {} : { error }) };
    return JSON.stringify(note);
  }

  private async write(tx: Transaction, uploadId: string, note: string): Promise<void> {
    await tx.execute("UPDATE leases SET progress = ? WHERE kind = 'upload' AND id = ?", [note, uploadId]);
    this.feed.uploadChanged(tx, uploadId);
  }
}

/** Characters of an error that are kept. */
const MAX_ERROR = 2_000;
