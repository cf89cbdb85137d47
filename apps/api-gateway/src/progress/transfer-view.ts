import { type Transfer, estimatedEndOf, progressPhases } from '@glimpse/contracts';
import { z } from 'zod';

const described = <S extends z.ZodType>(schema: S, description: string) => schema.meta({ description });

/** How far a transfer has come, as clients see it. */
export const ProgressDocument = z
  .object({
    phase: described(z.string(), `What is being done: ${progressPhases.join(', ')}`),
    bytes_done: described(z.int(), 'Bytes of this phase that are done'),
    bytes_total: described(z.int().nullable(), 'Bytes of this phase; null where that is not known'),
    bytes_per_second: described(z.int().nullable(), 'The rate over the last seconds'),
    estimated_end_at: described(z.string().nullable(), 'When the phase ends at this rate'),
    attempt: described(z.int(), '1 for the first; 0 while none has begun'),
    last_error: described(z.string().nullable(), 'Why the last attempt that failed did so'),
    started_at: described(z.string(), 'When the transfer was asked for'),
    updated_at: described(z.string(), 'When this was noted'),
  })
  .meta({ id: 'Progress' });

/** An upload or a job, as clients see it. */
export const TransferDocument = ProgressDocument.extend({
  id: described(z.string(), 'Of the upload or the job'),
  type: described(z.string(), 'upload, stage, or the kind of job: import, hash-location, delete-data, …'),
  image_id: z.string().nullable(),
  task_id: described(z.string().nullable(), 'The task that stands for it, if any'),
}).meta({ id: 'Transfer' });
export type TransferDocument = z.output<typeof TransferDocument>;

export const toProgressView = (transfer: Transfer): z.output<typeof ProgressDocument> => ({
  phase: transfer.phase,
  bytes_done: transfer.bytesDone,
  bytes_total: transfer.bytesTotal,
  bytes_per_second: transfer.bytesPerSecond ?? null,
  estimated_end_at: estimatedEndOf(transfer),
  attempt: transfer.attempt,
  last_error: transfer.lastError,
  started_at: transfer.startedAt,
  updated_at: transfer.updatedAt,
});

export const toTransferView = (transfer: Transfer): TransferDocument => ({
  id: transfer.id,
  type: transfer.kind,
  image_id: transfer.imageId,
  task_id: transfer.taskId,
  ...toProgressView(transfer),
});
