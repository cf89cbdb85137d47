import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RpcClient } from '@glimpse/bus';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { InstanceLease } from './instance-lease.js';

const LEASE_MS = 1_000;

describe('InstanceLease', () => {
  let now: number;
  let isReachable: boolean;
  let patterns: string[];
  let lease: InstanceLease;

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
    lease = new InstanceLease({
      rpc: { call } as Pick<RpcClient, 'call'>,
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
    await lease.start();
    await pass(LEASE_MS);

    expect(patterns).toEqual(Array.from({ length: 5 }, () => registryInstances.heartbeat.pattern));
    expect(lease.signal.aborted).toBe(false);
  });

  it('outlives heartbeats that fail for less than a lease', async () => {
    await lease.start();
    isReachable = false;
    await pass(LEASE_MS * 0.7);
    isReachable = true;
    await pass(LEASE_MS);

    expect(lease.signal.aborted).toBe(false);
  });

  it('gives up what is under way when no heartbeat got through for a lease, and begins anew after that', async () => {
    await lease.start();
    const { signal } = lease;
    isReachable = false;
    await pass(LEASE_MS + 50);

    expect(signal.aborted).toBe(true);
    expect(lease.signal.aborted).toBe(true);
    isReachable = true;
    await pass(LEASE_MS / 2);
    expect(signal.aborted).toBe(true);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is taken again soon after the registry is back', async () => {
    await lease.start();
    isReachable = false;
    await pass(LEASE_MS * 2);
    isReachable = true;
    await pass(LEASE_MS / 10);

    expect(lease.signal.aborted).toBe(false);
  });

  it('notices at once that the process slept through its lease', async () => {
    await lease.start();
    now += LEASE_MS * 10;

    expect(lease.signal.aborted).toBe(true);
  });

  it('is silent once the lease was released', async () => {
    await lease.start();
    await lease.release();
    patterns = [];
    await pass(LEASE_MS * 2);

    expect(patterns).toEqual([]);
    expect(lease.released.aborted).toBe(true);
  });

  it('is not lost before it was ever held', async () => {
    isReachable = false;
    await lease.start();
    await pass(LEASE_MS * 10);

    expect(lease.signal.aborted).toBe(false);
  });
});
