import type { Channel } from 'amqplib';
import {
  answerers,
  callsExchange,
  deadLettersName,
  eventsExchange,
  retryExchange,
  retryQueue,
  rpcQueue,
  serviceQueue,
  snapshotRequestsQueue,
  snapshotRetryExchange,
  snapshotRetryQueue,
  snapshotsExchange,
  subscriptions,
  transientSnapshotsExchange,
} from '../topology.js';
import type { TopologyChannel } from './topology-channel.js';

// Everything here is repeatable, and accepted by RabbitMQ 3.10 up to 4.3.

/** A process that dies of an event takes others with it until the broker stops delivering that event. */
const DELIVERY_LIMIT = 20;

/** The pauses before further attempts at a request for a snapshot; the last one for all that follow. */
export const snapshotRetryDelaysMs: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

/** A quorum queue hands its dead on only when their new queue has them. */
const deadLetterTo = (exchange: string, routingKey?: string) => ({
  'x-dead-letter-exchange': exchange,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  ...(routingKey === undefined ? {} : { 'x-dead-letter-routing-key': routingKey }),
});

async function nameDeadLetters(on: TopologyChannel): Promise<void> {
  await on.exchange(deadLettersName, 'fanout');
  // Classic on purpose: to look at a message counts as a delivery, and quorum queues of RabbitMQ 4 drop what was
  // delivered too often.
  await on.queue(deadLettersName, { 'x-queue-type': 'classic' });
  await on.bind(deadLettersName, deadLettersName, '');
}

/** Names the exchanges, the dead letters and the queue of every service that subscribes to events. */
export async function nameShared(on: TopologyChannel): Promise<void> {
  await nameDeadLetters(on);
  await on.exchange(callsExchange, 'direct');
  await on.exchange(eventsExchange, 'topic');
  for (const [service, events] of Object.entries(subscriptions)) {
    const queue = serviceQueue(service);
    await on.queue(queue, {
      'x-queue-type': 'quorum',
      'x-delivery-limit': DELIVERY_LIMIT,
      ...deadLetterTo(deadLettersName),
    });
    for (const { name } of events) await on.bind(queue, eventsExchange, name);
  }
}

/** Names the queues in which events of a service wait for another attempt. */
export async function nameRetries(
  on: TopologyChannel,
  service: string,
  delaysMs: readonly number[],
): Promise<void> {
  await on.exchange(retryExchange(service), 'direct');
  for (const delayMs of delaysMs) {
    const queue = retryQueue(service, delayMs);
    await on.queue(queue, {
      'x-queue-type': 'quorum',
      'x-message-ttl': delayMs,
      ...deadLetterTo('', serviceQueue(service)),
    });
    await on.bind(queue, retryExchange(service), queue);
  }
}

/** Names the queue of the calls to a service. Its messages are short-lived: a copy on every node is not worth it. */
export async function nameCalls(on: TopologyChannel, service: string): Promise<string> {
  const name = rpcQueue(service);
  await on.exchange(callsExchange, 'direct');
  await on.queue(name, { 'x-queue-type': 'classic' });
  await on.bind(name, callsExchange, name);
  return name;
}

/**
 * Names what requests for snapshots go through, also on a RabbitMQ that has nothing else of ours. The broker moves none of
 * them to the dead letters itself: a gateway does, when it has taken the tokens out. Its own limit on deliveries, which
 * RabbitMQ 4 has by default, is therefore out of reach.
 */
export async function nameSnapshotRequests(on: TopologyChannel): Promise<void> {
  await nameDeadLetters(on);
  await on.exchange(snapshotsExchange, 'topic');
  await on.queue(snapshotRequestsQueue, { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 });
  await on.bind(snapshotRequestsQueue, snapshotsExchange, '#');
  await on.exchange(snapshotRetryExchange, 'direct');
  for (const delayMs of snapshotRetryDelaysMs) {
    const queue = snapshotRetryQueue(delayMs);
    await on.queue(queue, {
      'x-queue-type': 'quorum',
      'x-message-ttl': delayMs,
      ...deadLetterTo('', snapshotRequestsQueue),
    });
    await on.bind(queue, snapshotRetryExchange, queue);
  }
}

/** What is not durable is declared by whoever consumes from it, each time anew. */
export async function declareTransientSnapshots(channel: Channel): Promise<void> {
  await channel.assertExchange(transientSnapshotsExchange, 'topic', { durable: false });
  await channel.bindQueue(snapshotRequestsQueue, transientSnapshotsExchange, '#');
}

/** Declares a queue that lives as long as the connection, with the events that every instance must see. */
export async function declareInstanceEvents(
  channel: Channel,
  name: string,
  eventNames: readonly string[],
): Promise<void> {
  await channel.assertQueue(name, { exclusive: true, durable: false, autoDelete: true });
  for (const eventName of eventNames) await channel.bindQueue(name, eventsExchange, eventName);
}

/** Names everything that all the services need; the events' attempts are those of `delaysMs`. */
export async function nameEverything(on: TopologyChannel, delaysMs: readonly number[]): Promise<void> {
  await nameShared(on);
  for (const service of answerers) await nameCalls(on, service);
  for (const service of Object.keys(subscriptions)) await nameRetries(on, service, delaysMs);
  await nameSnapshotRequests(on);
}
