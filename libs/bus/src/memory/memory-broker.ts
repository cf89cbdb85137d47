import type { DeadLetter } from '../dead-letters.js';
import { serviceQueue, subscriptions } from '../topology.js';
import { MemoryQueue } from './memory-queue.js';

/** The brokers of this process by URL; one lives as long as somebody is connected to it. */
const brokers = new Map<string, { broker: MemoryBroker; connections: number }>();

/** A broker in this process: queues, a topic exchange for events, and dead letters. */
export class MemoryBroker {
  deadLetters: DeadLetter[] = [];
  private readonly queues = new Map<string, MemoryQueue>();
  private readonly bindings = new Map<string, Set<string>>();

  private constructor() {
    for (const [service, events] of Object.entries(subscriptions))
      for (const { name } of events) this.bind(serviceQueue(service), name);
  }

  static connect(url: string): MemoryBroker {
    const entry = brokers.get(url) ?? { broker: new MemoryBroker(), connections: 0 };
    entry.connections += 1;
    brokers.set(url, entry);
    return entry.broker;
  }

  static disconnect(url: string): void {
    const entry = brokers.get(url);
    if (entry === undefined) return;
    entry.connections -= 1;
    if (entry.connections === 0) brokers.delete(url);
  }

  /** The queue, if it was declared. */
  find(name: string): MemoryQueue | undefined {
    return this.queues.get(name);
  }

  declare(name: string): MemoryQueue {
    const queue = this.queues.get(name) ?? new MemoryQueue();
    this.queues.set(name, queue);
    return queue;
  }

  bind(queueName: string, eventName: string): void {
    this.declare(queueName);
    const queues = this.bindings.get(eventName) ?? new Set();
    this.bindings.set(eventName, queues.add(queueName));
  }

  delete(queueName: string): void {
    this.queues.delete(queueName);
    for (const queues of this.bindings.values()) queues.delete(queueName);
  }

  publish(eventName: string, body: string): void {
    for (const name of this.bindings.get(eventName) ?? []) this.queues.get(name)?.push({ body });
  }
}
