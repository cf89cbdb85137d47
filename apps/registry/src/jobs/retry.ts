import type { Config } from '@glimpse/config';
import type { JobKind } from '@glimpse/contracts';

/** Kinds that are tried until they succeed: while a deleted image's data is there its disk space is lost. */
const neverGivenUp: ReadonlySet<JobKind> = new Set(['delete-data']);

export type AfterFailure = { readonly retryInMs: number } | 'give-up';

/** What comes after the attempt number `attempt` (from 1) has failed; `random` is in [0, 1). */
export function afterFailure(
  job: { kind: JobKind; attempt: number; isRetryable: boolean },
  options: Pick<Config['jobs'], 'maxAttempts' | 'retryBaseMs' | 'retryMaxMs'>,
  random: number,
): AfterFailure {
  const isHopeless = !job.isRetryable || job.attempt >= options.maxAttempts;
  if (isHopeless && !neverGivenUp.has(job.kind)) return 'give-up';
  const pause = Math.min(options.retryMaxMs, options.retryBaseMs * 2 ** (job.attempt - 1));
  // Between half of the pause and all of it, so that jobs which failed together don't come back together.
  return { retryInMs: Math.round(pause * (0.5 + random / 2)) };
}
