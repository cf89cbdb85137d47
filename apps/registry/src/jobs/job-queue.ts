import { type JobKind, type JobPayload, jobEvents } from '@glimpse/contracts';
import { type Transaction, insertJob } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { TransferFeed } from '../transfers/transfer-feed.js';

/** Where work for the store-workers is put. */
@Injectable()
export class JobQueue {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly feed: TransferFeed,
    private readonly clock: Clock,
  ) {}

  /**
   * The job exists, and is announced, when and only when the transaction is committed. It waits `dueInMs` milliseconds.
   * `owner` is that of the image, for callers who have it at hand.
   */
  async enqueue<K extends JobKind>(
    tx: Transaction,
    kind: K,
    payload: JobPayload<K>,
    { dueInMs = 0, owner }: { readonly dueInMs?: number; readonly owner?: string | null } = {},
  ): Promise<void> {
    const now = this.clock.now();
    const id = await insertJob(tx, kind, payload, { now, dueAt: now + dueInMs, owner });
    await this.announce(tx, id, kind);
    this.feed.jobChanged(tx, id);
  }

  /** Wakes the workers for a job that is due. */
  async announce(tx: Transaction, jobId: string, kind: JobKind): Promise<void> {
    await this.outbox.write(tx, jobEvents.ready, jobId, { jobId, kind });
  }
}
