import type { ChannelModel, ConfirmChannel, GetMessage, Options } from 'amqplib';
import type { DeadLetter, DeadLetterSelection, DeadLetters, Replay } from '../dead-letters.js';
import { deadLettersName } from '../topology.js';
import { cloudEventHeaders, envelopeText } from './cloud-event.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { headers } from './headers.js';

function whyNotReplayable(given: Readonly<Record<string, unknown>>): string | null {
  const why = given[headers.notReplayable];
  if (typeof why === 'string') return why;
  return given[headers.isRefused] === true ? 'It was refused, since its publisher was not trusted' : null;
}

/** Those that the broker itself gave up (after too many deliveries) carry its headers instead of ours. */
function describe({ content, properties }: GetMessage): DeadLetter {
  const given = properties.headers ?? {};
  return {
    id: String(properties.messageId ?? ''),
    name: typeof properties.type === 'string' ? properties.type : null,
    queue: String(given[headers.queue] ?? given['x-first-death-queue'] ?? ''),
    reason: String(given[headers.reason] ?? given['x-first-death-reason'] ?? 'unknown'),
    attempts: Number(given[headers.attempts] ?? given['x-delivery-count'] ?? 1),
    diedAt: typeof given[headers.diedAt] === 'string' ? String(given[headers.diedAt]) : null,
    notReplayable: whyNotReplayable(given),
    body: envelopeText(properties, content),
  };
}

/** Where a request wants its reply, who published it, and the attributes of an event. */
function whatIsKept({ properties }: GetMessage): Options.Publish {
  const { replyTo, correlationId, headers: given } = properties;
  const publisher: unknown = given?.[headers.publisher];
  return {
    ...(typeof replyTo === 'string' ? { replyTo } : {}),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    headers: {
      ...cloudEventHeaders(properties),
      ...(typeof publisher === 'string' ? { [headers.publisher]: publisher } : {}),
    },
  };
}

/** Answers with why it could not be, or null. */
async function putBack(
  publisher: ConfirmedPublisher,
  message: GetMessage,
  { id, queue, name }: DeadLetter,
): Promise<string | null> {
  const options = {
    mandatory: true,
    messageId: id,
    ...whatIsKept(message),
    ...(name === null ? {} : { type: name }),
  };
  try {
    await publisher.publish('', queue, message.content, options);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Takes messages from the queue on a channel of its own; what is not acknowledged returns when the channel closes. */
export class RabbitDeadLetters implements DeadLetters {
  constructor(
    private readonly connection: () => Promise<ChannelModel>,
    private readonly user: string,
  ) {}

  list(limit: number): Promise<DeadLetter[]> {
    return this.withChannel(async (channel) => {
      const letters: DeadLetter[] = [];
      while (letters.length < limit) {
        const message = await channel.get(deadLettersName);
        if (message === false) break;
        letters.push(describe(message));
      }
      return letters;
    });
  }

  replay(selection: DeadLetterSelection): Promise<Replay> {
    return this.withChannel(async (channel) => {
      const publisher = new ConfirmedPublisher(channel, this.user);
      // What dies again meanwhile is not put back a second time.
      const { messageCount } = await channel.checkQueue(deadLettersName);
      let replayed = 0;
      const left: { id: string; reason: string }[] = [];
      for (let seen = 0; seen < messageCount; seen += 1) {
        const message = await channel.get(deadLettersName);
        if (message === false) break;
        const letter = describe(message);
        if (selection !== 'all' && !selection.ids.includes(letter.id)) continue;
        const problem = letter.notReplayable ?? (await putBack(publisher, message, letter));
        if (problem === null) {
          channel.ack(message);
          replayed += 1;
        } else left.push({ id: letter.id, reason: problem });
      }
      return { replayed, left };
    });
  }

  private async withChannel<T>(use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const model = await this.connection();
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    try {
      return await use(channel);
    } finally {
      await channel.close().catch(() => undefined);
    }
  }
}
