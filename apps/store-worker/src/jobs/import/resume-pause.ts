import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/** Waits before a source that went away is looked for again: longer each time, from 0 on. Rejects when `signal` aborts. */
export async function resumePause(attempt: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal });
}
