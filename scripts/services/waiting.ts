import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 100;

/** What is wrong, with what is behind it: `fetch` and connections hide the reason in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? message : `${message} (${messageOf(error.cause)})`;
}

/**
 * Resolves with undefined as soon as `condition` holds; one that throws does not hold. With what was wrong the last time
 * when it did not within `timeoutMs`, or when it never will because `isHopeless`.
 */
export async function failureWithin(
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
  isHopeless: () => boolean = () => false,
): Promise<string | undefined> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    let failure = 'not yet';
    // Looked at first: what ended during the last try may have been what it needed.
    const isLast = isHopeless();
    try {
      if (await condition()) return undefined;
    } catch (error) {
      failure = messageOf(error);
    }
    if (isLast || Date.now() >= end) return failure;
    await delay(PAUSE_MS);
  }
}

/** Resolves as soon as `condition` holds; one that throws does not hold. False when it did not within `timeoutMs`. */
export const isTrueWithin = async (timeoutMs: number, condition: () => boolean | Promise<boolean>) =>
  (await failureWithin(timeoutMs, condition)) === undefined;
