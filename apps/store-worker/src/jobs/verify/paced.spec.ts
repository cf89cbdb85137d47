import { describe, expect, it } from '@jest/globals';
import { paced } from './paced.js';

describe('paced', () => {
  /** Time passes only while somebody waits, or as the source says. */
  function clockOf() {
    let time = 0;
    return {
      now: () => time,
      wait: (ms: number) => {
        time += ms;
        return Promise.resolve();
      },
      pass: (ms: number) => (time += ms),
    };
  }
  const { signal } = new AbortController();

  it('lets through what a second allows, however large the pieces', async () => {
    for (const size of [64, 1_000, 100_000]) {
      const clock = clockOf();
      const chunks = (async function* () {
        for (let sent = 0; sent < 1_000_000; sent += size) yield Buffer.alloc(size);
      })();

      for await (const chunk of paced(chunks, 100_000, signal, clock)) expect(chunk).toHaveLength(size);

      expect(clock.now()).toBeGreaterThanOrEqual(9_900);
      expect(clock.now()).toBeLessThanOrEqual(10_100);
    }
  });

  it('saves up no more than a quarter of a second', async () => {
    const clock = clockOf();
    const chunks = (async function* () {
      clock.pass(60_000);
      for (let index = 0; index < 10; index += 1) yield Buffer.alloc(10_000);
    })();

    for await (const _ of paced(chunks, 100_000, signal, clock));

    expect(clock.now() - 60_000).toBeGreaterThanOrEqual(740);
  });
});
