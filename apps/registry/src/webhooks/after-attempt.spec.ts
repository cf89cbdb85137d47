import { describe, expect, it } from '@jest/globals';
import type { DeliveryOutcome } from '@glimpse/contracts';
import { afterAttempt } from './after-attempt.js';

const options = { retrySeconds: [5, 300] };
const after = (outcome: DeliveryOutcome, attempt = 1, random = 0.5) =>
  afterAttempt(outcome, attempt, options, random);

describe('afterAttempt', () => {
  it.each([200, 201, 202, 204, 299])('takes %i for delivered', (status) => {
    expect(after({ status })).toEqual({ kind: 'delivered' });
  });

  it.each([301, 302, 307, 400, 401, 404, 429, 500, 503])('tries again after %i', (status) => {
    expect(after({ status })).toEqual({ kind: 'retry', inMs: 5_000, pausesWebhook: false });
  });

  it('tries again where there was no answer, a bounded number of times', () => {
    expect(after({ error: 'no' }, 2)).toMatchObject({ kind: 'retry', inMs: 300_000 });
    expect(after({ error: 'no' }, 3)).toEqual({ kind: 'failed' });
  });

  it('ends with 410 at once', () => {
    expect(after({ status: 410 })).toEqual({ kind: 'gone' });
  });

  it('makes pauses a fifth shorter or longer, so that what failed together does not come back together', () => {
    expect(after({ status: 500 }, 2, 0)).toMatchObject({ inMs: 240_000 });
    expect(after({ status: 500 }, 2, 1)).toMatchObject({ inMs: 360_000 });
  });

  it.each<[DeliveryOutcome, object]>([
    [
      { status: 429, retryAfterSeconds: 60 },
      { inMs: 60_000, pausesWebhook: true },
    ],
    [
      { status: 503, retryAfterSeconds: 60 },
      { inMs: 60_000, pausesWebhook: true },
    ],
    [
      { status: 503, retryAfterSeconds: 1 },
      { inMs: 5_000, pausesWebhook: true },
    ],
    [
      { status: 503, retryAfterSeconds: 999_999 },
      { inMs: 86_400_000, pausesWebhook: true },
    ],
    [
      { status: 500, retryAfterSeconds: 60 },
      { inMs: 5_000, pausesWebhook: false },
    ],
  ])('heeds what the receiver asks for: %j', (outcome, expected) => {
    expect(after(outcome)).toEqual({ kind: 'retry', ...expected });
  });
});
