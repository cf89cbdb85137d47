import type { Config } from '@glimpse/config';
import type { DeliveryOutcome } from '@glimpse/contracts';

/** No receiver keeps us waiting for longer than this. */
const MAX_RETRY_AFTER_SECONDS = 24 * 3_600;
/** By how much of itself a pause is shortened or lengthened at most. */
const JITTER = 0.2;
const GONE = 410;
const ASKS_FOR_PAUSE: ReadonlySet<number> = new Set([429, 503]);

/** What is done after an attempt. */
export type AfterAttempt =
  | { readonly kind: 'delivered' }
  /** The receiver wants no message any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed' }
  | {
      readonly kind: 'retry';
      readonly inMs: number;
      /** The receiver wants to hear nothing before that. */
      readonly pausesWebhook: boolean;
    };

/** What comes after the attempt number `attempt` (from 1); `random` is in [0, 1). */
export function afterAttempt(
  outcome: DeliveryOutcome,
  attempt: number,
  { retrySeconds }: Pick<Config['webhooks'], 'retrySeconds'>,
  random: number,
): AfterAttempt {
  const status = 'status' in outcome ? outcome.status : undefined;
  if (status !== undefined && status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === GONE) return { kind: 'gone' };
  const pause = retrySeconds[attempt - 1];
  if (pause === undefined) return { kind: 'failed' };
  const pauseMs = Math.round(pause * 1_000 * (1 + JITTER * (2 * random - 1)));
  const asked =
    'status' in outcome && ASKS_FOR_PAUSE.has(outcome.status) ? outcome.retryAfterSeconds : undefined;
  if (asked === undefined) return { kind: 'retry', inMs: pauseMs, pausesWebhook: false };
  const askedMs = Math.min(asked, MAX_RETRY_AFTER_SECONDS) * 1_000;
  return { kind: 'retry', inMs: Math.max(pauseMs, askedMs), pausesWebhook: true };
}

/** What is kept of an outcome that is no success: what the receiver's answer was, or why there was none. */
export const describeOutcome = (outcome: DeliveryOutcome): { status: number | null; error: string | null } =>
  'status' in outcome
    ? {
        status: outcome.status,
        error: outcome.status < 300 ? null : `The receiver answered ${outcome.status}`,
      }
    : { status: null, error: outcome.error };
