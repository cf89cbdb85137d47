import { setTimeout as delay } from 'node:timers/promises';

/** Where to read the time and how to wait, in milliseconds. */
export interface PaceClock {
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const systemClock: PaceClock = {
  now: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }),
};

/** What may be used at once after a pause, in seconds of the rate. */
const BURST_SECONDS = 0.25;
/** Waits that are shorter are saved up: a timer takes a millisecond or more by itself. */
const LEAST_WAIT_MS = 10;

/**
 * The chunks, no faster than `bytesPerSecond` (a bucket of tokens, of a quarter of a second); null for as fast as they
 * come. `signal` ends the wait.
 */
export async function* paced(
  chunks: AsyncIterable<Buffer>,
  bytesPerSecond: number | null,
  signal: AbortSignal,
  clock = systemClock,
): AsyncGenerator<Buffer> {
  let filledAt = clock.now();
  let tokens = 0;
  for await (const chunk of chunks) {
    yield chunk;
    if (bytesPerSecond === null) continue;
    const now = clock.now();
    const full = bytesPerSecond * BURST_SECONDS;
    tokens = Math.min(full, tokens + ((now - filledAt) / 1_000) * bytesPerSecond) - chunk.length;
    filledAt = now;
    const waitMs = (-tokens / bytesPerSecond) * 1_000;
    if (waitMs >= LEAST_WAIT_MS) await clock.wait(waitMs, signal);
  }
}
