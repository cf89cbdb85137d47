import { ConfigSchema } from '@glimpse/config';
import { describe, expect, it } from '@jest/globals';
import { retryDelays } from './retry-delays.js';

const bus = ConfigSchema.parse({}).bus;

describe('the pauses between attempts', () => {
  it('double', () => {
    expect(retryDelays({ ...bus, eventAttempts: 4, eventRetryDelayMs: 100 })).toEqual([100, 200, 400]);
  });

  it('are none when there is one attempt', () => {
    expect(retryDelays({ ...bus, eventAttempts: 1 })).toEqual([]);
  });

  it('are an hour at most', () => {
    expect(Math.max(...retryDelays({ ...bus, eventAttempts: 100 }))).toBe(3_600_000);
  });
});
