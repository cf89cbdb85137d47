import type { Channel } from 'amqplib';
import {
  deadLettersName,
  eventsExchange,
  retryQueue,
  rpcQueue,
  serviceQueue,
  subscriptions,
} from '../topology.js';

// Everything here is repeatable, and accepted by RabbitMQ 3.10 up to 4.3.

/** A process that dies of an event takes others with it until the broker stops delivering that event. */
const DELIVERY_LIMIT = 20;

/** A quorum queue hands its dead on only when their new queue has them. */
const deadLetterTo = (exchange: string, routingKey?: string) => ({
  'x-dead-letter-exchange': exchange,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  ...(routingKey === undefined ? {} : { 'x-dead-letter-routing-key': routingKey }),
});

/** Declares the exchanges, the dead letters and the queue of every service that subscribes to events. */
export async function declareEvents(channel: Channel): Promise<void> {
  await channel.assertExchange(deadLettersName, 'fanout', { durable: true });
  // Classic on purpose: to look at a message counts as a delivery, and quorum queues of RabbitMQ 4 drop what was
  // delivered too often.
  await channel.assertQueue(deadLettersName, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  await channel.bindQueue(deadLettersName, deadLettersName, '');
  await channel.assertExchange(eventsExchange, 'topic', { durable: true });
  for (const [service, events] of Object.entries(subscriptions)) {
    const queue = serviceQueue(service);
    await channel.assertQueue(queue, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': DELIVERY_LIMIT,
        ...deadLetterTo(deadLettersName),
      },
    });
    for (const { name } of events) await channel.bindQueue(queue, eventsExchange, name);
  }
}

/** Declares the queues in which events of a service wait for another attempt. */
export async function declareRetries(
  channel: Channel,
  service: string,
  delaysMs: readonly number[],
): Promise<void> {
  for (const delayMs of delaysMs)
    await channel.assertQueue(retryQueue(service, delayMs), {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-message-ttl': delayMs,
        ...deadLetterTo('', serviceQueue(service)),
      },
    });
}

/** Declares the queue of the calls to a service. Its messages are short-lived: a copy on every node is not worth it. */
export async function declareCalls(channel: Channel, service: string): Promise<string> {
  const name = rpcQueue(service);
  await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  return name;
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
