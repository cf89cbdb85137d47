import { randomUUID } from 'node:crypto';
import { jobEvents, rpc } from '@glimpse/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { BusHarness } from './bus-harness.conformance.js';
import { HandleEvent } from './handle-event.js';
import { HandleRpc } from './handle-rpc.js';

const nothing = { request: z.object({}), response: z.object({}) };
const registryCall = rpc('registry.test.call', nothing);

@Controller()
class Calls {
  @HandleRpc(registryCall)
  call(): Record<string, never> {
    return {};
  }
}

@Controller()
class TwoHandlers {
  @HandleRpc(registryCall)
  one(): Record<string, never> {
    return {};
  }

  @HandleRpc(registryCall)
  two(): Record<string, never> {
    return {};
  }
}

@Controller()
class Jobs {
  @HandleEvent(jobEvents.ready, { delivery: 'service' })
  ready(): void {}
}

@Controller()
class Nothing {}

describe('the start of a service', () => {
  let harness: BusHarness;
  beforeEach(() => {
    harness = new BusHarness(`memory:${randomUUID()}`);
  });
  afterEach(() => harness.close());

  const start = (service: string, controller: new () => object) =>
    harness.replica(harness.options(service), controller, {});

  it('fails when a handler answers the calls of another service', async () => {
    await expect(start('store-worker', Calls)).rejects.toThrow('answered by registry, not by store-worker');
  });

  it('fails when two handlers answer one call', async () => {
    await expect(start('registry', TwoHandlers)).rejects.toThrow('Two handlers answer registry.test.call');
  });

  it('fails when it handles an event that the topology does not give it', async () => {
    await expect(start('registry', Jobs)).rejects.toThrow('registry subscribes to []');
  });

  it('fails when it does not handle an event that it subscribes to', async () => {
    await expect(start('store-worker', Nothing)).rejects.toThrow('store-worker subscribes to [job.ready]');
  });

  it('succeeds with exactly its own handlers', async () => {
    const { strategy } = await start('store-worker', Jobs);

    expect(strategy.isConnected()).toBe(true);
  });
});
