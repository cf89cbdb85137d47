import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `work` has ended, well or not, and after `timeoutMs` at the latest: a broker may never answer. */
export async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([
    Promise.allSettled([work]),
    sleep(timeoutMs, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
}
