import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 100;

/** Resolves as soon as `condition` holds; one that throws does not hold. False when it did not within `timeoutMs`. */
export async function isTrueWithin(
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      if (await condition()) return true;
    } catch {
      // Not yet.
    }
    if (Date.now() >= end) return false;
    await delay(PAUSE_MS);
  }
}
