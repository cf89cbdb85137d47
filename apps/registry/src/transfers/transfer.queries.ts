import type { Transfer } from '@glimpse/contracts';
import { type SqlCondition, type SqlReader, type SqlValue, placeholders } from '@glimpse/persistence';
import {
  type JobTransferRow,
  SELECT_JOBS,
  SELECT_UPLOADS,
  UPLOADS_REMEMBERED_FOR_MS,
  type UploadTransferRow,
  jobTransfer,
  uploadTransfer,
} from './transfer-rows.js';

/** Of uploads, and of jobs, at most; those that run come first, then the latest. */
const MAX_EACH = 500;

const JOB_IS_LIVE = "j.status IN ('running', 'queued')";

/** Those that go on, and those that ended after `endedSince`, of the images for which `images` holds. */
export async function findTransfers(
  sql: SqlReader,
  images: { readonly uploads: SqlCondition; readonly jobs: SqlCondition },
  endedSince: number,
): Promise<Transfer[]> {
  const uploads = await sql.query<UploadTransferRow>(
    `${SELECT_UPLOADS} AND (u.expires_at IS NULL OR u.expires_at > ?) AND ${images.uploads.sql}
      ORDER BY u.expires_at IS NULL DESC, u.created_at DESC LIMIT ${MAX_EACH}`,
    [endedSince + UPLOADS_REMEMBERED_FOR_MS, ...images.uploads.values],
  );
  const jobs = await sql.query<JobTransferRow>(
    `${SELECT_JOBS} WHERE (${JOB_IS_LIVE} OR (j.status IN ('done', 'failed') AND j.updated_at > ?))
      AND ${images.jobs.sql}
      ORDER BY CASE j.status WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END, j.updated_at DESC
      LIMIT ${MAX_EACH}`,
    [endedSince, ...images.jobs.values],
  );
  return [...uploads.map(uploadTransfer), ...jobs.map(jobTransfer)];
}

/** The jobs that go on for tasks of these images, by the task. */
export async function findTaskTransfers(
  sql: SqlReader,
  imageIds: readonly string[],
): Promise<Map<string, Transfer>> {
  if (imageIds.length === 0) return new Map();
  const values: SqlValue[] = [...imageIds];
  const rows = await sql.query<JobTransferRow>(
    `${SELECT_JOBS} WHERE ${JOB_IS_LIVE} AND j.image_id IN (${placeholders(imageIds)})`,
    values,
  );
  return new Map(
    rows
      .map(jobTransfer)
      .flatMap((transfer) => (transfer.taskId === null ? [] : [[transfer.taskId, transfer]])),
  );
}
