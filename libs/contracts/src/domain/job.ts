import { z } from 'zod';
import { Caller } from './caller.js';
import { ImageLocation } from './image.js';
import { ImportPayload, ImportResult } from './import.js';
import { ExpectedHash, ProbedLocation } from './location.js';
import { ReconcilePayload, ReconcileResult } from './reconcile.js';
import { RepairPayload, RepairResult, VerifyPayload, VerifyResult } from './verification.js';

/**
 * Removes data from the stores: of a deleted image, or what an upload left behind whose process died.
 * Never given up: while the data is there it is tried again, with growing pauses.
 */
export const DeleteDataPayload = z.object({
  imageId: z.string(),
  locations: z.array(ImageLocation),
  /** What an upload that never finished may have left in a store. */
  partial: z.object({ storeId: z.string(), uploadId: z.string() }).optional(),
  /** What the attempts at an import or a repair may have left in the stores. */
  leftovers: z
    .array(
      z.object({
        storeId: z.string(),
        uploadId: z.string(),
        /** Where it is not what the store has the image's data under. */
        key: z.string().optional(),
      }),
    )
    .optional(),
  /** The import that failed, and that ends when nothing of it is left. */
  endsImport: z
    .object({
      taskId: z.string(),
      reason: z.string(),
      code: z.string().optional(),
      storeIds: z.array(z.string()),
      /** The data could not be had: nothing was written to any store. */
      hadNoData: z.boolean().optional(),
    })
    .optional(),
});
export type DeleteDataPayload = z.output<typeof DeleteDataPayload>;

const OfLocationTask = z.object({ imageId: z.string(), taskId: z.string() });

/** Looks what is behind a URL that is to become an image's location. */
export const ProbeLocationPayload = OfLocationTask.extend({
  /** Who registers it: their quotas count, and the audit trail names them. */
  ctx: Caller,
  url: z.string(),
  /** What the client says that the data hashes to. */
  expected: ExpectedHash.nullable(),
});
export type ProbeLocationPayload = z.output<typeof ProbeLocationPayload>;

/** Reads the data of a registered location to hash it. */
export const HashLocationPayload = OfLocationTask.extend({
  location: ImageLocation,
  diskFormat: z.string(),
  containerFormat: z.string(),
  size: z.int().min(0),
  algorithm: z.string(),
  /** Whether the MD5 checksum is wanted too. */
  md5: z.boolean(),
  /** The image becomes active when this is the digest; null where it is active already and only lacks its hashes. */
  expectedValue: z.string().nullable(),
});
export type HashLocationPayload = z.output<typeof HashLocationPayload>;

/** Every kind of job with the shape of its payload. */
const jobPayloads = {
  'delete-data': DeleteDataPayload,
  'probe-location': ProbeLocationPayload,
  'hash-location': HashLocationPayload,
  import: ImportPayload,
  reconcile: ReconcilePayload,
  verify: VerifyPayload,
  repair: RepairPayload,
} as const;

/** What a worker found out about data that it read. */
export const HashedData = z.object({
  size: z.int().min(0),
  virtualSize: z.int().min(0).nullable(),
  checksum: z.string().nullable(),
  osHashValue: z.string(),
});
export type HashedData = z.output<typeof HashedData>;

/** Every kind of job with the shape of what comes of it. */
const jobResults = {
  'delete-data': z.null(),
  'probe-location': ProbedLocation,
  'hash-location': HashedData,
  import: ImportResult,
  reconcile: ReconcileResult,
  verify: VerifyResult,
  repair: RepairResult,
} as const satisfies Record<JobKind, z.ZodType>;
export type JobKind = keyof typeof jobPayloads;
export const jobKinds = Object.keys(jobPayloads) as [JobKind, ...JobKind[]];
export const JobKind = z.enum(jobKinds);
/** `payload`, checked to be that of the kind. */
export function jobPayloadOf<K extends JobKind>(kind: K, payload: unknown): JobPayload<K> {
  const schemas: { readonly [P in JobKind]: z.ZodType<JobPayload<P>> } = jobPayloads;
  return schemas[kind].parse(payload);
}

/** `result`, checked to be what comes of jobs of the kind. */
export function jobResultOf<K extends JobKind>(kind: K, result: unknown): JobResult<K> {
  const schemas: { readonly [P in JobKind]: z.ZodType<JobResult<P>> } = jobResults;
  return schemas[kind].parse(result);
}

export type JobPayload<K extends JobKind> = z.output<(typeof jobPayloads)[K]>;
export type JobResult<K extends JobKind> = z.output<(typeof jobResults)[K]>;

export const jobStatuses = ['queued', 'running', 'done', 'failed'] as const;

/** A job as a worker receives it. `leaseToken` is the fence: a worker whose lease ran out can change nothing. */
export const ClaimedJob = z.object({
  id: z.string(),
  kind: JobKind,
  imageId: z.string().nullable(),
  /** Checked against {@link jobPayloadOf} by the runner. */
  payload: z.unknown(),
  leaseToken: z.string(),
  /** How long the lease lasts without a heartbeat. */
  leaseMs: z.int(),
  /** 1 for the first. */
  attempt: z.int(),
});
export type ClaimedJob = z.output<typeof ClaimedJob>;
