import { ReconcilePayload, ServiceError } from '@glimpse/contracts';
import type { JobRow, ReconcileRunRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';

/** A worker's right to compare a store with the database. */
export interface RunLease {
  readonly jobId: string;
  readonly leaseToken: string;
}

/** What a run is to do. */
export interface HeldRun extends ReconcilePayload {
  /** What is seen by it is seen at this time: not before it began, which another registry noted by its own clock. */
  readonly seenAt: number;
}

/** The runs that workers are at. */
@Injectable()
export class HeldRuns {
  constructor(private readonly clock: Clock) {}

  /** What the run is to do; nobody else takes it over before the transaction has ended. Throws LEASE_LOST. */
  async hold(tx: Transaction, { jobId, leaseToken }: RunLease): Promise<HeldRun> {
    const held = await tx.execute(
      `UPDATE jobs SET updated_at = updated_at
        WHERE id = ? AND lease_token = ? AND status = 'running' AND kind = 'reconcile'`,
      [jobId, leaseToken],
    );
    const [job] =
      held === 1
        ? await tx.query<Pick<JobRow, 'payload'> & { started_at: ReconcileRunRow['started_at'] | null }>(
            `SELECT j.payload, r.started_at FROM jobs j LEFT JOIN reconcile_runs r ON r.job_id = j.id WHERE j.id = ?`,
            [jobId],
          )
        : [];
    if (job === undefined)
      throw new ServiceError('LEASE_LOST', `The job ${jobId} is not the worker's any more.`);
    return {
      ...ReconcilePayload.parse(JSON.parse(job.payload)),
      seenAt: Math.max(this.clock.now(), job.started_at ?? 0),
    };
  }
}
