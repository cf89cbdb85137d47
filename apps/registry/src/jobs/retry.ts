import type { Config } from '@glimpse/config';
import type { ErrorCode, JobKind } from '@glimpse/contracts';

/** Kinds that are tried until they succeed: while a deleted image's data is there its disk space is lost. */
const neverGivenUp: ReadonlySet<JobKind> = new Set(['delete-data']);

/** Kinds whose attempts Glance has an option for. */
const readsLocations: ReadonlySet<JobKind> = new Set(['probe-location', 'hash-location']);

/** Kinds that have their turn again before long: their place is another copy's meanwhile. */
const hasNextTurn: ReadonlySet<JobKind> = new Set(['verify', 'repair']);
const ATTEMPTS_IN_TURN = 3;

/** What trying again does not mend: an operator has to. The job is kept as failed and can be retried. */
const OPERATORS: ReadonlySet<string> = new Set<ErrorCode>(['STORE_UNKNOWN']);

/** What only ends when other jobs do, which takes its time. */
const WAITS_FOR_OTHERS: ReadonlySet<string> = new Set<ErrorCode>(['SCRATCH_FULL']);

export type AfterFailure = { readonly retryInMs: number } | 'give-up';

export interface RetryOptions {
  readonly jobs: Pick<Config['jobs'], 'maxAttempts' | 'retryBaseMs' | 'retryMaxMs'>;
  readonly images: Pick<Config['images'], 'httpRetries'>;
  readonly import: Pick<Config['import'], 'maxAttempts'>;
}

/** How often a job of the kind is begun at most. */
export function attemptsOf(kind: JobKind, { jobs, images, import: imports }: RetryOptions): number {
  if (kind === 'import') return imports.maxAttempts;
  if (hasNextTurn.has(kind)) return ATTEMPTS_IN_TURN;
  if (neverGivenUp.has(kind)) return Number.POSITIVE_INFINITY;
  return readsLocations.has(kind) ? 1 + images.httpRetries : jobs.maxAttempts;
}

/** What comes after the attempt number `attempt` (from 1) has failed; `random` is in [0, 1). */
export function afterFailure(
  job: { kind: JobKind; attempt: number; code: string; isRetryable: boolean },
  options: RetryOptions,
  random: number,
): AfterFailure {
  const { jobs } = options;
  if (neverGivenUp.has(job.kind)) {
    // Another worker may know the store, or this one once it was configured and started again.
    if (OPERATORS.has(job.code) && job.attempt >= jobs.maxAttempts) return 'give-up';
  } else if (!job.isRetryable || job.attempt >= attemptsOf(job.kind, options)) return 'give-up';
  const growing = Math.min(jobs.retryMaxMs, jobs.retryBaseMs * 2 ** (job.attempt - 1));
  const pause = WAITS_FOR_OTHERS.has(job.code) ? jobs.retryMaxMs : growing;
  // Between half of the pause and all of it, so that jobs which failed together don't come back together.
  return { retryInMs: Math.round(pause * (0.5 + random / 2)) };
}
