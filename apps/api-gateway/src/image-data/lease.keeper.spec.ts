import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { LeaseKeeper } from './lease.keeper.js';

const LEASE_MS = 1_000;

describe('LeaseKeeper', () => {
  let now: number;
  let isReachable: boolean;
  let patterns: string[];
  let keeper: LeaseKeeper;

  beforeEach(() => {
    jest.useFakeTimers();
    now = 0;
    isReachable = true;
    patterns = [];
    const call = async (definition: { pattern: string }) => {
      patterns.push(definition.pattern);
      if (!isReachable) throw new ServiceError('BUS_UNAVAILABLE', 'scripted');
      return { leaseMs: LEASE_MS };
    };
    keeper = new LeaseKeeper({
      rpc: { call: call as never },
      instanceId: 'i',
      service: 's',
      leaseMs: LEASE_MS,
      logger: createLogger('spec', { level: 'silent' }),
      now: () => now,
    });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      now += 50;
      await jest.advanceTimersByTimeAsync(50);
    }
  };

  it('renews the lease four times before it runs out', async () => {
    await keeper.start();
    await pass(LEASE_MS);

    expect(patterns).toEqual(Array.from({ length: 5 }, () => registryInstances.heartbeat.pattern));
    expect(keeper.signal.aborted).toBe(false);
  });

  it('outlives heartbeats that fail for less than a lease', async () => {
    await keeper.start();
    isReachable = false;
    await pass(LEASE_MS * 0.7);
    isReachable = true;
    await pass(LEASE_MS);

    expect(keeper.signal.aborted).toBe(false);
  });

  it('gives up what is under way when no heartbeat got through for a lease, and begins anew after that', async () => {
    await keeper.start();
    const { signal } = keeper;
    isReachable = false;
    await pass(LEASE_MS + 50);

    expect(signal.aborted).toBe(true);
    expect(keeper.signal.aborted).toBe(true);
    isReachable = true;
    await pass(LEASE_MS / 2);
    expect(signal.aborted).toBe(true);
    expect(keeper.signal.aborted).toBe(false);
  });

  it('notices at once that the process slept through its lease', async () => {
    await keeper.start();
    now += LEASE_MS * 10;

    expect(keeper.signal.aborted).toBe(true);
  });

  it('is silent once the lease was released', async () => {
    await keeper.start();
    await keeper.release();
    patterns = [];
    await pass(LEASE_MS * 2);

    expect(patterns).toEqual([]);
    expect(keeper.released.aborted).toBe(true);
  });
});
