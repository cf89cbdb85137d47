import type { Config } from '@glimpse/config';
import type { Channel, ChannelModel } from 'amqplib';

/** Where notifications go, as oslo.messaging has it: a topic exchange, and a queue for each topic and priority. */
export type NotificationPlaces = Pick<Config['notifications'], 'exchange' | 'topics' | 'durable' | 'quorum'>;

const PRIORITIES = ['info', 'error'];

/** What there is no place for: the queue is not there, and this user may not make it. */
export interface MissingQueue {
  readonly name: string;
  readonly error: unknown;
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** What is there with other properties, or must not be declared by this user. */
const isTakenAsItIs = (error: unknown): boolean => codeOf(error) === 406 || codeOf(error) === 403;
const isMissing = (error: unknown): boolean => codeOf(error) === 404;

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
 * services that disagree on it lose nothing. Answers with the queues that are missing all the same: the others are of
 * use without them. Rejects where the exchange is missing.
 */
export async function declareNotifications(
  model: ChannelModel,
  { exchange, topics, durable: isDurable, quorum: isQuorum }: NotificationPlaces,
): Promise<MissingQueue[]> {
  const durable = isDurable || isQuorum;
  await makeOrFind(
    model,
    (channel) => channel.assertExchange(exchange, 'topic', { durable, autoDelete: false }),
    (channel) => channel.checkExchange(exchange),
  );
  const args = isQuorum ? { arguments: { 'x-queue-type': 'quorum' } } : {};
  const missing: MissingQueue[] = [];
  for (const name of topics.flatMap((topic) => PRIORITIES.map((priority) => `${topic}.${priority}`))) {
    try {
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
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing.push({ name, error });
    }
  }
  return missing;
}
