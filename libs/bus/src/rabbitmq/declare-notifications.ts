import type { Config } from '@glimpse/config';
import type { Channel, ChannelModel } from 'amqplib';

/** Where notifications go, as oslo.messaging has it: a topic exchange, and a queue for each topic and priority. */
export type NotificationPlaces = Pick<Config['notifications'], 'exchange' | 'topics' | 'durable' | 'quorum'>;

const PRIORITIES = ['info', 'error'];

/** What is there with other properties, or must not be declared by this user. */
const isTakenAsItIs = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 406 || error.code === 403);

/** On a channel of its own, since the broker closes that of a declaration it refuses. */
async function onChannel(model: ChannelModel, use: (channel: Channel) => Promise<unknown>): Promise<void> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  await use(channel);
  await channel.close();
}

/** Makes something; where it is there with other properties it is used as it is. */
async function makeOrFind(
  model: ChannelModel,
  make: (channel: Channel) => Promise<unknown>,
  find: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  try {
    await onChannel(model, make);
  } catch (error) {
    if (!isTakenAsItIs(error)) throw error;
    await onChannel(model, find);
  }
}

/**
 * Makes the exchange and the queues of notifications where they are missing, in the order of oslo.messaging. What is
 * there with another durability than this configuration's, or is none of this user's business, is used as it is:
 * services that disagree on it lose nothing.
 */
export async function declareNotifications(
  model: ChannelModel,
  { exchange, topics, durable: isDurable, quorum: isQuorum }: NotificationPlaces,
): Promise<void> {
  const durable = isDurable || isQuorum;
  await makeOrFind(
    model,
    (channel) => channel.assertExchange(exchange, 'topic', { durable, autoDelete: false }),
    (channel) => channel.checkExchange(exchange),
  );
  const args = isQuorum ? { arguments: { 'x-queue-type': 'quorum' } } : {};
  for (const name of topics.flatMap((topic) => PRIORITIES.map((priority) => `${topic}.${priority}`))) {
    await makeOrFind(
      model,
      (channel) => channel.assertQueue(name, { durable, autoDelete: false, exclusive: false, ...args }),
      (channel) => channel.checkQueue(name),
    );
    await makeOrFind(
      model,
      (channel) => channel.bindQueue(name, exchange, name),
      // A binding can't be asked for.
      (channel) => channel.checkQueue(name),
    );
  }
}
