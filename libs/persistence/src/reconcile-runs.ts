import { randomUUID } from 'node:crypto';
import type { ReconcilePayload } from '@glimpse/contracts';
import { insertJob } from './new-jobs.js';
import type { Transaction } from './sql.js';

/** What is asked of a run; it gets its own id. */
export type RunRequest = Omit<ReconcilePayload, 'imageId' | 'runId'>;

/**
 * Asks for a comparison of a store with the database: a job for the store-workers, who find it within `jobs.poll_ms`.
 * `now` is in epoch milliseconds.
 */
export async function queueReconcileRun(
  tx: Transaction,
  request: RunRequest,
  now: number,
): Promise<{ readonly runId: string; readonly jobId: string }> {
  const runId = randomUUID();
  const jobId = await insertJob(tx, 'reconcile', { imageId: null, runId, ...request }, { now });
  await tx.insert('reconcile_runs', [
    {
      id: runId,
      job_id: jobId,
      store_id: request.storeId,
      scope: request.scope,
      repairs: request.repair ? 1 : 0,
      status: 'running',
      started_at: now,
    },
  ]);
  return { runId, jobId };
}
