import { describe, expect, it } from '@jest/globals';
import { isDoneWithin, once, runAllInOrder } from './shutdown.js';

const never = new Promise<void>(() => undefined);

describe('isDoneWithin', () => {
  it('says that work was done in time', async () => {
    expect(await isDoneWithin(Promise.resolve(), 1_000)).toBe(true);
  });

  it('does not wait longer than it is told', async () => {
    expect(await isDoneWithin(never, 5)).toBe(false);
  });

  it('hands on the failure of the work', async () => {
    await expect(isDoneWithin(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken');
  });
});

describe('runAllInOrder', () => {
  it('runs one step after the other', async () => {
    const order: number[] = [];
    const step = (number: number) => async () => {
      await Promise.resolve();
      order.push(number);
    };

    await runAllInOrder([step(1), step(2), step(3)]);

    expect(order).toEqual([1, 2, 3]);
  });

  it('goes on after a failure and reports it at the end', async () => {
    let isLastRun = false;
    const fail = () => Promise.reject(new Error('first'));
    const last = () => {
      isLastRun = true;
    };

    await expect(runAllInOrder([fail, last])).rejects.toThrow('first');

    expect(isLastRun).toBe(true);
  });

  it('reports several failures together', async () => {
    const fail = (reason: string) => () => Promise.reject(new Error(reason));

    await expect(runAllInOrder([fail('one'), fail('two')])).rejects.toThrow(AggregateError);
  });
});

describe('once', () => {
  it('does the work of the first call only, and lets the others wait for it', async () => {
    const calls: number[] = [];
    const close = once(async (graceMs: number) => {
      await Promise.resolve();
      calls.push(graceMs);
    });

    await Promise.all([close(1), close(2)]);

    expect(calls).toEqual([1]);
  });
});
