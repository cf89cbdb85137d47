import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, isServiceError } from '@glimpse/contracts';

/** After these nobody knows whether the call was carried out. */
const OUTCOME_UNKNOWN: ErrorCode[] = [
  'RPC_TIMEOUT',
  'BUS_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'SERVICE_STOPPING',
  'INTERNAL',
];

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export const isOutcomeUnknown = (error: unknown): boolean => isServiceError(error, ...OUTCOME_UNKNOWN);

/**
 * Repeats an idempotent call, with growing pauses, until its outcome is known: resolves or rejects with it. Ends with
 * the signal's reason.
 */
export async function retryUntilKnown<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!isOutcomeUnknown(error)) throw error;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
