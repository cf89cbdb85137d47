import { z } from 'zod';
import { ImageLocation } from './image.js';

/**
 * Removes data from the stores: of a deleted image, or what an upload left behind whose process died.
 * Never given up: while the data is there it is tried again, with growing pauses.
 */
export const DeleteDataPayload = z.object({
  imageId: z.string(),
  locations: z.array(ImageLocation),
  /** What an upload that never finished may have left in a store. */
  partial: z.object({ storeId: z.string(), uploadId: z.string() }).optional(),
});
export type DeleteDataPayload = z.output<typeof DeleteDataPayload>;

/** Every kind of job with the shape of its payload. */
export const jobPayloads = {
  'delete-data': DeleteDataPayload,
} as const;
export type JobKind = keyof typeof jobPayloads;
export const jobKinds = Object.keys(jobPayloads) as [JobKind, ...JobKind[]];
export const JobKind = z.enum(jobKinds);
export type JobPayload<K extends JobKind> = z.output<(typeof jobPayloads)[K]>;

export const jobStatuses = ['queued', 'running', 'done', 'failed'] as const;

export const JobProgress = z.object({
  phase: z.string(),
  bytesDone: z.int().min(0),
  bytesTotal: z.int().min(0).nullable(),
});
export type JobProgress = z.output<typeof JobProgress>;

/** A job as a worker receives it. `leaseToken` is the fence: a worker whose lease ran out can change nothing. */
export const ClaimedJob = z.object({
  id: z.string(),
  kind: JobKind,
  imageId: z.string().nullable(),
  /** Checked against {@link jobPayloads} by the runner. */
  payload: z.unknown(),
  leaseToken: z.string(),
  /** How long the lease lasts without a heartbeat. */
  leaseMs: z.int(),
  /** 1 for the first. */
  attempt: z.int(),
});
export type ClaimedJob = z.output<typeof ClaimedJob>;
