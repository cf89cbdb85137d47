import { randomUUID } from 'node:crypto';
import type { JobKind, JobPayload } from '@glimpse/contracts';
import type { Transaction } from './sql.js';

/**
 * Adds a job for the store-workers, who find it within `jobs.poll_ms` of `dueAt` when nothing announces it. Times are in
 * epoch milliseconds. Answers with its id.
 */
export async function insertJob<K extends JobKind>(
  tx: Transaction,
  kind: K,
  payload: JobPayload<K>,
  { now, dueAt = now }: { readonly now: number; readonly dueAt?: number },
): Promise<string> {
  const id = randomUUID();
  await tx.insert('jobs', [
    {
      id,
      kind,
      status: 'queued',
      image_id: payload.imageId,
      payload: JSON.stringify(payload),
      attempt: 0,
      due_at: dueAt,
      created_at: now,
      updated_at: now,
    },
  ]);
  return id;
}
