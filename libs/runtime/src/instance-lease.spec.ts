import { afterEach, describe, expect, it } from '@jest/globals';
import type { RpcClient } from '@glimpse/bus';
import { registryInstances } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { InstanceLease } from './instance-lease.js';

const LEASE_MS = 40;

describe('InstanceLease', () => {
  let lease: InstanceLease;
  afterEach(() => lease.release());

  function arrange() {
    const registry = { isThere: true, beats: 0, released: [] as string[] };
    const clock = { now: 0 };
    const call = async (definition: object, request: { instanceId: string }) => {
      if (!registry.isThere) throw new Error('no way to the registry');
      if (definition === registryInstances.release) {
        registry.released.push(request.instanceId);
        return {};
      }
      registry.beats++;
      return { leaseMs: LEASE_MS };
    };
    lease = new InstanceLease({
      rpc: { call } as Pick<RpcClient, 'call'>,
      instanceId: 'store-worker-1',
      service: 'store-worker',
      leaseMs: LEASE_MS,
      logger: createLogger('test', { level: 'silent' }),
      now: () => clock.now,
    });
    return { registry, clock };
  }

  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise(setImmediate);
  };

  it('beats until it is released', async () => {
    const { registry } = arrange();
    await lease.start();
    await until(() => registry.beats > 3);

    await lease.release();

    expect(registry.released).toEqual(['store-worker-1']);
    expect(lease.released.aborted).toBe(true);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is lost when no heartbeat got through for a whole lease, without anybody asking', async () => {
    const { registry, clock } = arrange();
    await lease.start();
    const { signal } = lease;
    registry.isThere = false;

    clock.now += LEASE_MS - 1;
    expect(lease.signal.aborted).toBe(false);
    clock.now += 1;
    await until(() => signal.aborted);

    expect(signal.reason).toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });

  it('is taken again when the registry is back, with a new signal', async () => {
    const { registry, clock } = arrange();
    await lease.start();
    const first = lease.signal;
    registry.isThere = false;
    clock.now += LEASE_MS;
    await until(() => first.aborted);

    registry.isThere = true;
    await until(() => !lease.signal.aborted);

    expect(first.aborted).toBe(true);
  });

  it('is not lost before it was ever held', async () => {
    const { registry, clock } = arrange();
    registry.isThere = false;
    await lease.start();

    clock.now += 10 * LEASE_MS;

    expect(lease.signal.aborted).toBe(false);
  });
});
