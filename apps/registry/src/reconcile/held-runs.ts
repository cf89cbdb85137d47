import { ReconcilePayload, ServiceError } from '@glimpse/contracts';
import type { JobRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';

/** A worker's right to compare a store with the database. */
export interface RunLease {
  readonly jobId: string;
  readonly leaseToken: string;
}

/** The runs that workers are at. */
@Injectable()
export class HeldRuns {
  /** What the run is to do; nobody else takes it over before the transaction has ended. Throws LEASE_LOST. */
  async hold(tx: Transaction, { jobId, leaseToken }: RunLease): Promise<ReconcilePayload> {
    const held = await tx.execute(
      `UPDATE jobs SET updated_at = updated_at
        WHERE id = ? AND lease_token = ? AND status = 'running' AND kind = 'reconcile'`,
      [jobId, leaseToken],
    );
    const [job] =
      held === 1
        ? await tx.query<Pick<JobRow, 'payload'>>('SELECT payload FROM jobs WHERE id = ?', [jobId])
        : [];
    if (job === undefined)
      throw new ServiceError('LEASE_LOST', `The job ${jobId} is not the worker's any more.`);
    return ReconcilePayload.parse(JSON.parse(job.payload));
  }
}
