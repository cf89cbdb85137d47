import { randomUUID } from 'node:crypto';
import {
  type EventEnvelope,
  type ReceivedEvent,
  ServiceError,
  imageEvents,
  jobEvents,
  rpc,
} from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { Controller, type INestMicroservice, Inject } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import type { BusOptions } from './bus-options.js';
import { type BusStrategy, createBusStrategy } from './bus-strategy.js';
import { HandleEvent } from './handle-event.js';
import { HandleRpc } from './handle-rpc.js';
import { type OpenBus, openBus } from './open-bus.js';

const Message = z.object({ value: z.unknown().optional() });

/** A call whose handler is given by the test. */
export const perform = rpc('registry.test.perform', {
  request: Message,
  response: Message,
  timeoutMs: 5_000,
});
export const unknownCall = rpc('registry.test.unknown', { request: Message, response: Message });
/** The same call with a contract that its handler breaks. */
export const performStrictly = rpc('registry.test.perform', {
  request: Message,
  response: z.object({ value: z.number() }),
});

export interface RpcBehaviour {
  perform(value: unknown): unknown;
}

export interface EventBehaviour {
  onService?(event: ReceivedEvent<typeof jobEvents.ready>): unknown;
  onInstance?(event: ReceivedEvent<typeof imageEvents.deleted>): unknown;
}

const BEHAVIOUR = Symbol('behaviour');

@Controller()
class TestRpc {
  constructor(@Inject(BEHAVIOUR) private readonly behaviour: RpcBehaviour) {}

  @HandleRpc(perform)
  async perform({ value }: { value?: unknown }): Promise<{ value?: unknown }> {
    return { value: await this.behaviour.perform(value) };
  }
}

@Controller()
class TestEvents {
  constructor(@Inject(BEHAVIOUR) private readonly behaviour: EventBehaviour) {}

  @HandleEvent(jobEvents.ready, { delivery: 'service' })
  async ready(event: ReceivedEvent<typeof jobEvents.ready>): Promise<void> {
    await this.behaviour.onService?.(event);
  }

  @HandleEvent(imageEvents.deleted, { delivery: 'instance' })
  async deleted(event: ReceivedEvent<typeof imageEvents.deleted>): Promise<void> {
    await this.behaviour.onInstance?.(event);
  }
}

/** `OK`, the code that the call was refused with, or whatever else it threw. */
export const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'OK',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );

/** A handler that answers with what it was asked. */
export const echo: RpcBehaviour = { perform: (value) => value };

/** Something that a test opens later. */
export class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

export const jobReady = (jobId: string = randomUUID()): EventEnvelope => ({
  id: randomUUID(),
  name: jobEvents.ready.name,
  occurredAt: new Date().toISOString(),
  subject: jobId,
  payload: { jobId, kind: 'delete-data' },
});

export const imageDeleted = (imageId: string = randomUUID()): EventEnvelope => ({
  id: randomUUID(),
  name: imageEvents.deleted.name,
  occurredAt: new Date().toISOString(),
  subject: imageId,
  payload: { imageId },
});

export interface Replica {
  readonly strategy: BusStrategy;
  stop(graceMs?: number): Promise<void>;
}

/** Clients and replicas on one bus, all ended by `close`. */
export class BusHarness {
  readonly logged: { level: string; msg: string; err?: { stack: string; message: string } }[] = [];
  private readonly ends: (() => Promise<void>)[] = [];

  constructor(readonly url: string) {}

  options(service: string, options: Partial<BusOptions['options']> = {}, url = this.url): BusOptions {
    const logger = createLogger(
      service,
      { level: 'trace' },
      { write: (line) => void this.logged.push(JSON.parse(line)) },
    );
    return {
      service,
      instanceId: `${service}-${randomUUID()}`,
      url,
      logger,
      options: {
        prefetch: 64,
        envelopesInFlight: 2,
        maxCallsPerEnvelope: 64,
        maxEnvelopeBytes: 262_144,
        maxPendingCalls: 10_000,
        eventAttempts: 3,
        eventRetryDelayMs: 20,
        eventSource: '/glimpse',
        declare: true,
        trustedUsers: [],
        tls: {},
        ...options,
      },
    };
  }

  client(options?: Partial<BusOptions['options']>, url = this.url): OpenBus {
    const bus = openBus(this.options('api-gateway', options, url));
    this.ends.push(() => bus.close());
    return bus;
  }

  /** A replica of the registry. */
  rpcServer(
    behaviour: RpcBehaviour,
    options?: Partial<BusOptions['options']>,
    url = this.url,
  ): Promise<Replica> {
    return this.replica(this.options('registry', options, url), TestRpc, behaviour);
  }

  /** A replica of the store-worker. */
  eventServer(
    behaviour: EventBehaviour,
    options?: Partial<BusOptions['options']>,
    url = this.url,
  ): Promise<Replica> {
    return this.replica(this.options('store-worker', options, url), TestEvents, behaviour);
  }

  async replica(
    bus: BusOptions,
    controller: new (behaviour: never) => object,
    behaviour: unknown,
  ): Promise<Replica> {
    const module = await Test.createTestingModule({
      controllers: [controller],
      providers: [{ provide: BEHAVIOUR, useValue: behaviour }],
    }).compile();
    const strategy = createBusStrategy(bus);
    const app: INestMicroservice = module.createNestMicroservice({ strategy, logger: false });
    const stop = async (graceMs = 0) => {
      await strategy.close(graceMs);
      await app.close();
    };
    this.ends.push(stop);
    await app.listen();
    return { strategy, stop };
  }

  async close(): Promise<void> {
    await Promise.all(this.ends.map((end) => end()));
  }
}
