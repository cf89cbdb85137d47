import { loadConfig } from '@glimpse/config';
import { describe, expect, it } from '@jest/globals';
import { TokenBuckets } from './token-buckets.js';

describe('TokenBuckets', () => {
  const clock = (start = 0) => {
    let now = start;
    return { now: () => now, pass: (ms: number) => void (now += ms) };
  };

  it('lets a burst through, then as many as the rate says', () => {
    const time = clock();
    const buckets = new TokenBuckets(60, 3, 10, time.now);
    const take = () => buckets.take('a').isAllowed;

    expect([take(), take(), take(), take()]).toEqual([true, true, true, false]);
    time.pass(1_000);
    expect([take(), take()]).toEqual([true, false]);
    time.pass(3_600_000);
    expect([take(), take(), take(), take()]).toEqual([true, true, true, false]);
  });

  it('says how many are left, and when there are more', () => {
    const time = clock();
    const buckets = new TokenBuckets(6, 2, 10, time.now);

    expect(buckets.take('a')).toEqual({
      isAllowed: true,
      remaining: 1,
      resetSeconds: 10,
      retryAfterSeconds: 0,
    });
    expect(buckets.take('a')).toEqual({
      isAllowed: true,
      remaining: 0,
      resetSeconds: 20,
      retryAfterSeconds: 0,
    });
    expect(buckets.take('a')).toEqual({
      isAllowed: false,
      remaining: 0,
      resetSeconds: 20,
      retryAfterSeconds: 10,
    });
    time.pass(4_000);
    expect(buckets.take('a')).toMatchObject({ isAllowed: false, retryAfterSeconds: 6 });
  });

  it('keeps each key to itself', () => {
    const buckets = new TokenBuckets(1, 1, 10, clock().now);
    buckets.take('a');

    expect(buckets.take('a').isAllowed).toBe(false);
    expect(buckets.take('b').isAllowed).toBe(true);
  });

  it('remembers so many keys and no more, those used last', () => {
    const buckets = new TokenBuckets(1, 1, 2, clock().now);
    buckets.take('a');
    buckets.take('b');
    buckets.take('a');
    buckets.take('c');

    expect(buckets.take('a').isAllowed).toBe(false);
    expect(buckets.take('b').isAllowed).toBe(true);
  });
});

describe('The rate limits', () => {
  it('are off unless set', () => {
    const { rateLimits } = loadConfig({});

    expect([rateLimits.reads, rateLimits.changes, rateLimits.data, rateLimits.unauthenticated]).toEqual(
      Array.from({ length: 4 }, () => ({ perMinute: 0, burst: 0 })),
    );
  });
});
