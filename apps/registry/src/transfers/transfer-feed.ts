import { LiveEvents } from '@glimpse/bus';
import { type Transfer, transferEvents } from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';
import { SnapshotFeed } from '../snapshots/snapshot-feed.js';
import {
  type JobTransferRow,
  SELECT_JOBS,
  SELECT_UPLOADS,
  type UploadTransferRow,
  jobTransfer,
  uploadTransfer,
} from './transfer-rows.js';

/** Tells those who listen how uploads and jobs go. What is told is what is committed, and no change waits for it. */
@Injectable()
export class TransferFeed {
  constructor(
    private readonly database: Database,
    private readonly live: LiveEvents,
    private readonly snapshots: SnapshotFeed,
    private readonly settings: RegistrySettings,
  ) {}

  /** The transaction changes something of the upload. */
  uploadChanged(tx: Transaction, id: string): void {
    tx.afterCommit(() => void this.tell(() => this.findUpload(id)));
  }

  /** The transaction changes something of the job. */
  jobChanged(tx: Transaction, id: string): void {
    tx.afterCommit(() => void this.tell(() => this.findJob(id)));
  }

  /** Never rejects: who misses it sees the next one. */
  private async tell(find: () => Promise<Transfer | undefined>): Promise<void> {
    try {
      const transfer = await find();
      if (transfer === undefined) return;
      this.live.announce(transferEvents.progressed, transfer.id, transfer);
      if (transfer.kind === 'import') await this.snapshots.tell(transfer);
    } catch (error) {
      this.settings.logger.debug({ err: error }, 'the progress of a transfer could not be announced');
    }
  }

  private async findUpload(id: string): Promise<Transfer | undefined> {
    const [row] = await this.database.query<UploadTransferRow>(`${SELECT_UPLOADS} AND u.id = ?`, [id]);
    return row === undefined ? undefined : uploadTransfer(row);
  }

  private async findJob(id: string): Promise<Transfer | undefined> {
    const [row] = await this.database.query<JobTransferRow>(`${SELECT_JOBS} WHERE j.id = ?`, [id]);
    return row === undefined ? undefined : jobTransfer(row);
  }
}
