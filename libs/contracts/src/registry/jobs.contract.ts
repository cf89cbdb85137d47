import { z } from 'zod';
import { ClaimedJob, JobKind } from '../domain/job.js';
import { Progress } from '../domain/progress.js';
import { WireError } from '../errors/service-error.js';
import { rpc } from '../rpc.js';

const OnLease = z.object({ jobId: z.string(), leaseToken: z.string() });

/** `lost`: the lease ran out and the job is somebody else's, or it was ended; stop at once, clean up nothing. */
const LeaseOutcome = z.object({ outcome: z.enum(['ok', 'lost']) });

export const registryJobs = {
  /** Takes up to `limit` jobs that are due. */
  claim: rpc('registry.job.claim', {
    request: z.object({
      instanceId: z.string(),
      kinds: z.array(JobKind),
      limit: z.int().min(1).max(64),
    }),
    response: z.object({ jobs: z.array(ClaimedJob) }),
  }),
  heartbeat: rpc('registry.job.heartbeat', {
    request: OnLease.extend({ progress: Progress.nullable() }),
    response: LeaseOutcome,
    timeoutMs: 5_000,
  }),
  complete: rpc('registry.job.complete', {
    /** `result` is checked by `jobResultOf`. */
    request: OnLease.extend({ result: z.unknown().optional(), progress: Progress.optional() }),
    response: LeaseOutcome,
  }),
  /** The registry decides from the kind, the attempt and `isRetryable` whether it is tried again, and when. */
  fail: rpc('registry.job.fail', {
    request: OnLease.extend({ error: WireError, isRetryable: z.boolean() }),
    response: LeaseOutcome,
  }),
  /** Gives the job back unfinished (the worker is stopping); it is due again at once and the attempt is not counted. */
  release: rpc('registry.job.release', { request: OnLease, response: LeaseOutcome }),
} as const;
