import { randomUUID } from 'node:crypto';
import type { JobKind, JobPayload } from '@glimpse/contracts';
import type { Transaction } from './sql.js';
import type { ImageRow } from './tables.js';

/**
 * Adds a job for the store-workers, who find it within `jobs.poll_ms` of `dueAt` when nothing announces it. Times are in
 * epoch milliseconds. It takes its turn among the jobs of the project that owns the image, which is looked up where the caller
 * does not have it at hand. Answers with its id.
 */
export async function insertJob<K extends JobKind>(
  tx: Transaction,
  kind: K,
  payload: JobPayload<K>,
  {
    now,
    dueAt = now,
    owner,
  }: { readonly now: number; readonly dueAt?: number; readonly owner?: string | null | undefined },
): Promise<string> {
  const id = randomUUID();
  await tx.insert('jobs', [
    {
      id,
      kind,
      status: 'queued',
      image_id: payload.imageId,
      project_id: (owner === undefined ? await ownerOf(tx, payload.imageId) : owner) ?? '',
      payload: JSON.stringify(payload),
      attempt: 0,
      due_at: dueAt,
      created_at: now,
      updated_at: now,
    },
  ]);
  return id;
}

async function ownerOf(tx: Transaction, imageId: string | null): Promise<string | null> {
  if (imageId === null) return null;
  const [image] = await tx.query<Pick<ImageRow, 'owner'>>('SELECT owner FROM images WHERE id = ?', [imageId]);
  return image?.owner ?? null;
}
