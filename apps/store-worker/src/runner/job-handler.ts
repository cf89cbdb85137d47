import type { JobKind, JobPayload, JobResult, ProgressReporter } from '@glimpse/contracts';

/** What a handler is given beside the payload. */
export interface JobContext {
  /** Aborts when the job is no longer this worker's, or the worker stops: end at once. */
  readonly signal: AbortSignal;
  /** Takes how far the job has come: name each phase when it begins. Clients see it about once a second. */
  readonly progress: ProgressReporter;
  /** 1 for the first. */
  readonly attempt: number;
  /** Shows the registry, where a handler asks it something, that the job is still this worker's. */
  readonly lease: { readonly jobId: string; readonly leaseToken: string };
}

/** Does the jobs of one kind. */
export interface JobHandler<K extends JobKind> {
  readonly kind: K;
  /**
   * Resolves with what came of it when the job is done. May be called again for a job that was done in part or in full: by another worker
   * after this one died, for one. Rejects with a `ServiceError` that says whether trying again makes sense; any
   * other error counts as a defect, and is tried again.
   */
  run(payload: JobPayload<K>, context: JobContext): Promise<JobResult<K>>;
}
