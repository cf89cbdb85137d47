import { Progress, STAGING_STORE, type Transfer } from '@glimpse/contracts';
import { type JobRow, type LeaseRow, glanceId } from '@glimpse/persistence';
import { z } from 'zod';

/** How long the end of an upload is remembered, so that a call whose answer got lost can be repeated. */
export const UPLOADS_REMEMBERED_FOR_MS = 3_600_000;

/** What the registry notes of an upload: how far it has come and, once it has come to nothing, why. */
export const UploadNote = Progress.extend({
  /** Epoch milliseconds. */
  at: z.int(),
  error: z.string().optional(),
});
export type UploadNote = z.output<typeof UploadNote>;

type OwnerColumn = { owner: string | null };
export type UploadTransferRow = OwnerColumn &
  Pick<
    LeaseRow,
    'id' | 'state' | 'image_id' | 'store_id' | 'size' | 'progress' | 'expires_at' | 'created_at'
  >;
export type JobTransferRow = OwnerColumn &
  Pick<
    JobRow,
    | 'id'
    | 'kind'
    | 'status'
    | 'image_id'
    | 'payload'
    | 'attempt'
    | 'progress'
    | 'last_error'
    | 'created_at'
    | 'updated_at'
  >;

/** Uploads as `u`, with their images as `i`. */
export const SELECT_UPLOADS = `SELECT u.id, u.state, u.image_id, u.store_id, u.size, u.progress, u.expires_at,
    u.created_at, i.owner
  FROM leases u LEFT JOIN images i ON i.id = ${glanceId('u.image_id')} AND i.deleted = 0
  WHERE u.kind = 'upload'`;

/** Jobs as `j`, with their images as `i`. */
export const SELECT_JOBS = `SELECT j.id, j.kind, j.status, j.image_id, j.payload, j.attempt, j.progress, j.last_error,
    j.created_at, j.updated_at, i.owner
  FROM jobs j LEFT JOIN images i ON i.id = ${glanceId('j.image_id')} AND i.deleted = 0`;

const OfTask = z.object({
  taskId: z.string().optional(),
  endsImport: z.object({ taskId: z.string() }).optional(),
});

/** The task that the job works for, of its payload. */
export function taskIdOf(payload: string): string | null {
  const of = OfTask.safeParse(JSON.parse(payload));
  return of.data?.taskId ?? of.data?.endsImport?.taskId ?? null;
}

const time = (ms: number) => new Date(ms).toISOString();
const parsed = <T>(schema: z.ZodType<T>, text: string | null): T | undefined =>
  text === null ? undefined : schema.safeParse(JSON.parse(text)).data;

const nothingYet = (phase: string, bytesTotal: number | null = null): Progress => ({
  phase,
  bytesDone: 0,
  bytesTotal,
  bytesPerSecond: null,
});

/** The phase of uploads that are over, by the state of their lease. */
const endOf: Readonly<Record<string, string>> = { committed: 'done', aborted: 'failed', reaping: 'failed' };

export function uploadTransfer(row: UploadTransferRow): Transfer {
  const { at, error, ...noted } = parsed(UploadNote, row.progress) ?? {
    ...nothingYet('receiving', row.size),
    at: row.created_at,
  };
  const end = endOf[row.state];
  return {
    ...noted,
    ...(end === undefined ? {} : { phase: end, bytesPerSecond: null }),
    id: row.id,
    kind: row.store_id === STAGING_STORE ? 'stage' : 'upload',
    imageId: row.image_id,
    owner: row.owner,
    taskId: null,
    attempt: 1,
    lastError: error ?? null,
    startedAt: time(row.created_at),
    updatedAt: time(row.expires_at === null ? at : Math.max(at, row.expires_at - UPLOADS_REMEMBERED_FOR_MS)),
  };
}

export function jobTransfer(row: JobTransferRow): Transfer {
  return {
    ...progressOfJob(row),
    id: row.id,
    kind: row.kind,
    imageId: row.image_id,
    owner: row.owner,
    taskId: taskIdOf(row.payload),
    attempt: row.attempt,
    lastError: parsed(z.object({ message: z.string() }), row.last_error)?.message ?? null,
    startedAt: time(row.created_at),
    updatedAt: time(row.updated_at),
  };
}

function progressOfJob({ status, progress }: JobTransferRow): Progress {
  const noted = parsed(Progress, progress) ?? nothingYet('waiting');
  if (status === 'running') return noted;
  // What the last attempt had done counts for nothing.
  if (status === 'queued') return nothingYet('waiting');
  const wasForNothing = status === 'failed' || noted.phase === 'failed';
  return { ...noted, phase: wasForNothing ? 'failed' : 'done', bytesPerSecond: null };
}
