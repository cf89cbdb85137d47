import { describe, expect, it } from '@jest/globals';
import { afterFailure } from './retry.js';

const options = { maxAttempts: 3, retryBaseMs: 1_000, retryMaxMs: 10_000 };
const pauseAfter = (attempt: number, random: number) =>
  afterFailure({ kind: 'delete-data', attempt, isRetryable: true }, options, random);

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

  it('never gives the removal of data up', () => {
    const job = { kind: 'delete-data', attempt: 99, isRetryable: false } as const;

    expect(afterFailure(job, options, 0)).toEqual({ retryInMs: 5_000 });
  });
});
