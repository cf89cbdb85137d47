import { describe, expect, it } from '@jest/globals';
import { afterFailure } from './retry.js';

const options = {
  jobs: { maxAttempts: 3, retryBaseMs: 1_000, retryMaxMs: 10_000 },
  images: { httpRetries: 1 },
  import: { maxAttempts: 2 },
};
const pauseAfter = (attempt: number, random: number) =>
  afterFailure(
    { kind: 'delete-data', attempt, code: 'STORE_UNAVAILABLE', isRetryable: true },
    options,
    random,
  );

describe('afterFailure', () => {
  it.each([
    [1, 500, 1_000],
    [2, 1_000, 2_000],
    [4, 4_000, 8_000],
    [5, 5_000, 10_000],
    [2_000, 5_000, 10_000],
  ])('pauses after attempt %d for %d to %d ms', (attempt, least, most) => {
    expect(pauseAfter(attempt, 0)).toEqual({ retryInMs: least });
    expect(pauseAfter(attempt, 1)).toEqual({ retryInMs: most });
  });

  it('waits as long as it can for room that other conversions have', () => {
    const job = { kind: 'import', attempt: 1, isRetryable: true } as const;

    expect(afterFailure({ ...job, code: 'SCRATCH_FULL' }, options, 1)).toEqual({ retryInMs: 10_000 });
    expect(afterFailure({ ...job, code: 'STORE_UNAVAILABLE' }, options, 1)).toEqual({ retryInMs: 1_000 });
  });

  it('never gives the removal of data up', () => {
    const job = { kind: 'delete-data', attempt: 99, code: 'INTERNAL', isRetryable: false } as const;

    expect(afterFailure(job, options, 0)).toEqual({ retryInMs: 5_000 });
  });

  it('leaves data in a store that nobody knows to an operator, after a while', () => {
    const job = { kind: 'delete-data', code: 'STORE_UNKNOWN', isRetryable: false } as const;

    expect(afterFailure({ ...job, attempt: 2 }, options, 0)).toEqual({ retryInMs: 1_000 });
    expect(afterFailure({ ...job, attempt: 3 }, options, 0)).toBe('give-up');
  });

  it('looks at a copy three times before its turn is over', () => {
    const job = { kind: 'verify', code: 'STORE_UNAVAILABLE', isRetryable: true } as const;

    expect(afterFailure({ ...job, attempt: 2 }, options, 0)).toEqual({ retryInMs: 1_000 });
    expect(afterFailure({ ...job, attempt: 3 }, options, 0)).toBe('give-up');
  });

  it('reads a location as often as the configuration says, and no more when it makes no sense', () => {
    const job = { kind: 'hash-location', code: 'STORE_UNAVAILABLE', isRetryable: true } as const;

    expect(afterFailure({ ...job, attempt: 1 }, options, 0)).toEqual({ retryInMs: 500 });
    expect(afterFailure({ ...job, attempt: 2 }, options, 0)).toBe('give-up');
    expect(afterFailure({ ...job, attempt: 1, isRetryable: false }, options, 0)).toBe('give-up');
  });
});
