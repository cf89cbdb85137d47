import { randomUUID } from 'node:crypto';
import type { BusOptions } from '../bus-options.js';
import type { ClientLink, ClientListener, OutgoingEnvelope, OutgoingEvent } from '../transport.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryDeadLetters } from './memory-dead-letters.js';
import { MemoryConsumer } from './memory-queue.js';

/** The sending end of the in-process broker, which is always there. */
export class MemoryClientLink implements ClientLink {
  readonly deadLetters: MemoryDeadLetters;
  private readonly broker: MemoryBroker;
  private listener: ClientListener | null = null;

  constructor(private readonly bus: BusOptions) {
    this.broker = MemoryBroker.connect(bus.url);
    this.deadLetters = new MemoryDeadLetters(this.broker);
  }

  open(listener: ClientListener): void {
    this.listener = listener;
    listener.connected();
  }

  isWritable(): boolean {
    return this.listener !== null;
  }

  send({ id, queue, body, expirationMs }: OutgoingEnvelope): void {
    const target = this.broker.find(queue);
    if (target === undefined) queueMicrotask(() => this.listener?.unroutable(id));
    else
      target.push({
        body,
        expiresAt: Date.now() + expirationMs,
        reply: (answer) => queueMicrotask(() => this.listener?.answered(answer)),
      });
  }

  publish(event: OutgoingEvent): Promise<void> {
    this.announce(event);
    return Promise.resolve();
  }

  announce({ data, ...attributes }: OutgoingEvent): void {
    this.broker.publish(attributes.name, `${JSON.stringify(attributes).slice(0, -1)},"payload":${data}}`);
  }

  listen(eventName: string, take: (body: string) => void): () => void {
    const queueName = `live.${randomUUID()}`;
    this.broker.bind(queueName, eventName);
    const consumer = new MemoryConsumer(Number.POSITIVE_INFINITY, ({ body }, acknowledge) => {
      acknowledge();
      take(body);
    });
    this.broker.declare(queueName).add(consumer);
    return () => this.broker.delete(queueName);
  }

  close(): Promise<void> {
    if (this.listener !== null) {
      this.listener = null;
      MemoryBroker.disconnect(this.bus.url);
    }
    return Promise.resolve();
  }
}
