import { z } from 'zod';
import { JobKind } from './job.js';
import { Progress, secondsLeft } from './progress.js';

/** What moves or looks at image data: an upload through a gateway (into the stores, or into staging), or a job. */
export const transferKinds = ['upload', 'stage', ...JobKind.options] as const;

/** One upload or job, as far as it has come. */
export const Transfer = Progress.extend({
  /** Of the upload or the job. */
  id: z.string(),
  /** One of {@link transferKinds}; peers of a later release may have more. */
  kind: z.string(),
  imageId: z.string().nullable(),
  /** The project that owns the image; null where the image is gone, or nobody's. */
  owner: z.string().nullable(),
  /** The task that clients see of it. */
  taskId: z.string().nullable(),
  /** 1 for the first; 0 while none has begun. */
  attempt: z.int().min(0),
  /** Why the last attempt that failed did so. */
  lastError: z.string().nullable(),
  /** ISO 8601 in UTC, with milliseconds; as the next. */
  startedAt: z.string(),
  updatedAt: z.string(),
});
export type Transfer = z.output<typeof Transfer>;

/** Whether nothing more comes of it. */
export const isOver = ({ phase }: Pick<Transfer, 'phase'>): boolean => phase === 'done' || phase === 'failed';

/** When its phase ends at its present rate, ISO 8601 in UTC; null where that can't be told. */
export function estimatedEndOf(transfer: Transfer): string | null {
  const seconds = isOver(transfer) ? null : secondsLeft(transfer);
  return seconds === null ? null : new Date(Date.parse(transfer.updatedAt) + seconds * 1_000).toISOString();
}
