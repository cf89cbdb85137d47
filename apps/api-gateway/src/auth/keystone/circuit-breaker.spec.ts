import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

function brokenAt(clock: { now: number }): CircuitBreaker {
  const breaker = new CircuitBreaker(() => clock.now);
  for (let n = 0; n < 5; n++) breaker.failed();
  return breaker;
}

describe('CircuitBreaker', () => {
  it('lets everything pass until five failures in a row', () => {
    const breaker = new CircuitBreaker(() => 0);
    for (let n = 0; n < 4; n++) expect(breaker.failed()).toBe(false);
    breaker.succeeded();
    for (let n = 0; n < 4; n++) breaker.failed();
    expect(breaker.mayPass()).toBe(true);

    expect(breaker.failed()).toBe(true);

    expect(breaker.mayPass()).toBe(false);
  });

  it('lets one try after the pause, and all when that one succeeded', () => {
    const clock = { now: 0 };
    const breaker = brokenAt(clock);

    clock.now = 500;
    expect([breaker.mayPass(), breaker.mayPass()]).toEqual([true, false]);
    expect(breaker.succeeded()).toBe(true);

    expect([breaker.mayPass(), breaker.mayPass()]).toEqual([true, true]);
  });

  it('pauses longer each time, ten seconds at most', () => {
    const clock = { now: 0 };
    const breaker = brokenAt(clock);
    const pauses: number[] = [];
    let last = 0;

    while (pauses.length < 7) {
      clock.now += 100;
      if (!breaker.mayPass()) continue;
      pauses.push(clock.now - last);
      last = clock.now;
      breaker.failed();
    }

    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('does not pause longer for requests that were under way', () => {
    const clock = { now: 0 };
    const breaker = brokenAt(clock);

    clock.now = 499;
    for (let n = 0; n < 20; n++) breaker.failed();
    clock.now = 500;

    expect(breaker.mayPass()).toBe(true);
  });
});
