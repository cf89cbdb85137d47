import { EventEnvelope } from '@glimpse/contracts';
import type { BusOptions } from '../bus-options.js';
import { showConnected } from '../connection-gauge.js';
import { instanceQueue, rpcQueue, serviceQueue } from '../topology.js';
import type { Consumption, EventConsumption, ServerLink } from '../transport.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryConsumer, type MemoryMessage } from './memory-queue.js';

/** The receiving end of the in-process broker. */
export class MemoryServerLink implements ServerLink {
  private readonly broker: MemoryBroker;
  private readonly consumers = new Map<string, MemoryConsumer>();
  private isOpen = true;

  constructor(private readonly bus: BusOptions) {
    this.broker = MemoryBroker.connect(bus.url);
  }

  open({ requests, serviceEvents, instanceEvents }: Consumption): Promise<void> {
    const { service, instanceId } = this.bus;
    if (requests !== null)
      this.consume(rpcQueue(service), (message, done) =>
        requests({
          body: message.body,
          isRedelivered: message.isRedelivered ?? false,
          // Whoever reaches a broker in this process is a part of it.
          refusal: null,
          answer: (body) => message.reply?.(body),
          done,
        }),
      );
    if (serviceEvents !== null) this.consumeEvents(serviceQueue(service), serviceEvents);
    if (instanceEvents !== null) {
      const queueName = instanceQueue(service, instanceId);
      for (const name of instanceEvents.names) this.broker.bind(queueName, name);
      this.consumeEvents(queueName, instanceEvents);
    }
    showConnected(service, 'server', true);
    return Promise.resolve();
  }

  isConnected(): boolean {
    return this.isOpen;
  }

  stopConsuming(): Promise<void> {
    for (const [name, consumer] of this.consumers) this.broker.find(name)?.remove(consumer);
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    this.isOpen = false;
    showConnected(this.bus.service, 'server', false);
    this.broker.delete(instanceQueue(this.bus.service, this.bus.instanceId));
    for (const [name, consumer] of this.consumers) this.broker.find(name)?.requeue(consumer);
    MemoryBroker.disconnect(this.bus.url);
    return Promise.resolve();
  }

  private consumeEvents(queueName: string, { take }: EventConsumption): void {
    this.consume(queueName, (message, done) => {
      const attempt = message.attempt ?? 1;
      take({
        body: message.body,
        attempt,
        refusal: null,
        done,
        retry: (delayMs) => {
          done();
          const later = () => this.broker.declare(queueName).push({ ...message, attempt: attempt + 1 });
          // A broker that waits for it must not keep the process alive.
          setTimeout(later, delayMs).unref();
          return Promise.resolve();
        },
        bury: (reason) => {
          done();
          this.bury(message, queueName, reason);
          return Promise.resolve();
        },
      });
    });
  }

  private bury({ body, attempt = 1 }: MemoryMessage, queue: string, reason: string): void {
    const { id, name } = identify(body);
    this.broker.deadLetters.push({
      id,
      name,
      queue,
      reason,
      attempts: attempt,
      diedAt: new Date().toISOString(),
      notReplayable: null,
      body,
    });
  }

  private consume(name: string, take: MemoryConsumer['take']): void {
    const consumer = new MemoryConsumer(this.bus.options.prefetch, take);
    this.consumers.set(name, consumer);
    this.broker.declare(name).add(consumer);
  }
}

/** As far as the body can be read. */
function identify(body: string): { id: string; name: string | null } {
  try {
    return EventEnvelope.pick({ id: true, name: true }).parse(JSON.parse(body));
  } catch {
    return { id: '', name: null };
  }
}
