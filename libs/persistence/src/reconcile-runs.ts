import { randomUUID } from 'node:crypto';
import type { ReconcilePayload } from '@glimpse/contracts';
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
  const jobId = randomUUID();
  const payload: ReconcilePayload = { imageId: null, runId, ...request };
  await tx.insert('jobs', [
    {
      id: jobId,
      kind: 'reconcile',
      status: 'queued',
      image_id: null,
      payload: JSON.stringify(payload),
      attempt: 0,
      due_at: now,
      created_at: now,
      updated_at: now,
    },
  ]);
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
