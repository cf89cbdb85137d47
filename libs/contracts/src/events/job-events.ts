import { z } from 'zod';
import { JobKind } from '../domain/job.js';
import { event } from '../event.js';

/** Facts about jobs; the subject is the job's id. */
export const jobEvents = {
  /** A job is due: wakes the workers, who claim it from the registry. Losing it costs a few seconds, no more. */
  ready: event('job.ready', { payload: z.object({ jobId: z.string(), kind: JobKind }) }),
  completed: event('job.completed', {
    payload: z.object({ jobId: z.string(), kind: JobKind, imageId: z.string().nullable() }),
  }),
  /** Every attempt is used up. */
  failed: event('job.failed', {
    payload: z.object({
      jobId: z.string(),
      kind: JobKind,
      imageId: z.string().nullable(),
      error: z.string(),
    }),
  }),
} as const;
