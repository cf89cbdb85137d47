import { setTimeout as delay } from 'node:timers/promises';

/** Waits for `work` for up to `timeoutMs` milliseconds and says whether it was done by then. Rejects when `work` does. */
export async function isDoneWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      delay(timeoutMs, false, { signal: timer.signal, ref: true }),
    ]);
  } finally {
    timer.abort();
  }
}

/**
 * Runs the steps one after the other, all of them even when some fail; then throws what failed (several as an
 * `AggregateError`). For closing things in the reverse order of their opening.
 */
export async function runAllInOrder(steps: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'Several steps of the shutdown failed');
}

/** A function that runs `work` at the first call; later calls get the same promise. */
export function once<Args extends readonly unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  let result: Promise<void> | undefined;
  return (...args) => (result ??= work(...args));
}
