import { describe, expect, it } from '@jest/globals';
import { checkReadiness } from './health.js';

describe('checkReadiness', () => {
  it('does not wait for a check that hangs', async () => {
    const hangs = () => new Promise(() => undefined);

    expect(await checkReadiness({ bus: hangs }, 5)).toEqual({
      isReady: false,
      checks: { bus: 'no answer within 5 ms' },
    });
  });

  it('takes a check that throws at once for one that fails', async () => {
    const throws = () => {
      throw new Error('not connected');
    };

    expect(await checkReadiness({ bus: throws })).toEqual({
      isReady: false,
      checks: { bus: 'not connected' },
    });
  });
});
