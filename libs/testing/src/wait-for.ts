import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 25;

/**
 * Calls `probe` until it answers with something truthy, and resolves with that; a probe that throws is tried again.
 * Rejects after `timeoutMs` milliseconds, naming `what` and the last error.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const answer = await probe();
      if (answer) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(PAUSE_MS);
  } while (Date.now() < end);
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause });
}
