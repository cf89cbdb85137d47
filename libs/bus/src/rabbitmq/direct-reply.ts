import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@glimpse/contracts';
import type { ChannelModel, Options } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { connectTo } from './rabbit-connection.js';

/** How addresses begin that RabbitMQ gives to those who wait for a reply without a queue. */
const DIRECT_REPLY = 'amq.rabbitmq.reply-to.';
const INTERNAL_ERROR = 541;
const END_TIMEOUT_MS = 1_000;

export const isDirectReply = (routingKey: string): boolean => routingKey.startsWith(DIRECT_REPLY);

/**
 * Sends one reply to such an address. RabbitMQ ends the connection of whoever publishes to one that it cannot make sense of: it
 * was forged, or is of a node that is gone. Therefore nothing else is on that connection.
 *
 * False when there is no such address. Whether somebody still waits there RabbitMQ does not tell: to it no address is a queue,
 * and what is mandatory is returned although it arrives. Rejects with BUS_UNAVAILABLE when RabbitMQ may not have the reply.
 */
export async function replyDirectly(
  bus: BusOptions,
  user: string,
  { routingKey, body, options }: { routingKey: string; body: Buffer; options: Options.Publish },
): Promise<boolean> {
  const model = await connectTo(bus, 'direct reply').catch((cause: unknown) => {
    throw new ServiceError('BUS_UNAVAILABLE', 'There is no connection to the RabbitMQ of compute', { cause });
  });
  const refusal = refusalBy(model);
  try {
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    return await new ConfirmedPublisher(channel, user).offer('', routingKey, body, {
      ...options,
      mandatory: false,
    });
  } catch (error) {
    const late = sleep(END_TIMEOUT_MS, false, { ref: false });
    if (await Promise.race([refusal, late])) return false;
    throw error;
  } finally {
    await model.close().catch(() => undefined);
  }
}

/** Whether the broker ended the connection because of what it was sent; known soon after it did. */
function refusalBy(model: ChannelModel): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    model.on('error', (error: Error & { code?: unknown }) => resolve(error.code === INTERNAL_ERROR));
    model.on('close', () => resolve(false));
  });
}
