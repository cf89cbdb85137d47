import { createLogger } from '@glimpse/observability';
import { describe, expect, it } from '@jest/globals';
import { Repeater } from './repeater.js';

const NEVER = 1_000_000;

/** Work whose turns the test ends one by one. */
function heldWork() {
  const turns: (() => void)[] = [];
  const repeater = new Repeater(
    'test',
    createLogger('test', { level: 'silent' }),
    () =>
      new Promise<void>((resolve) => {
        turns.push(resolve);
      }),
  );
  return { turns, repeater };
}
const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('Repeater', () => {
  it('takes one turn at a time, and another one when it was woken meanwhile', async () => {
    const { turns, repeater } = heldWork();
    repeater.start(() => NEVER);
    repeater.wake();
    repeater.wake();
    expect(turns).toHaveLength(1);

    turns[0]?.();
    await soon();

    expect(turns).toHaveLength(2);
    turns[1]?.();
    await repeater.stop();
    expect(turns).toHaveLength(2);
  });

  it('goes on after a turn that failed', async () => {
    let turns = 0;
    const repeater = new Repeater('test', createLogger('test', { level: 'silent' }), () => {
      turns += 1;
      return Promise.reject(new Error('no'));
    });
    repeater.start(() => NEVER);
    await soon();

    repeater.wake();
    await repeater.stop();

    expect(turns).toBe(2);
  });

  it('stops when the turn that is going on is over', async () => {
    const { turns, repeater } = heldWork();
    repeater.start(() => NEVER);
    let isStopped = false;

    const stopping = repeater.stop().then(() => (isStopped = true));
    await soon();

    expect(isStopped).toBe(false);
    turns[0]?.();
    await stopping;
    repeater.wake();
    expect(turns).toHaveLength(1);
  });
});
