import { ServiceError } from '@glimpse/contracts';
import type { ConfirmChannel, Message, Options } from 'amqplib';

const CONFIRM_TIMEOUT_MS = 10_000;
/** Bounds what waits in buffers while the broker takes nothing. */
const MAX_UNCONFIRMED = 1_000;

export const unavailable = (message: string, cause?: unknown) =>
  new ServiceError('BUS_UNAVAILABLE', message, { cause });

/** How the messages of a channel are told from each other when the broker returns one. */
export interface ReturnedMessages {
  /** The id that the message was published with. */
  idOf(message: Message): string;
  /** Called for each, once its publication knows of it. */
  arrived?(): void;
}

/** Waits for what the broker says of each message that is published on a channel; bounded in time and in number. */
export class Confirmations {
  private readonly returned = new Set<string>();
  private unconfirmed = 0;

  constructor(
    private readonly channel: ConfirmChannel,
    returnedMessages: ReturnedMessages,
  ) {
    // The broker returns an unroutable message before it confirms it.
    channel.on('return', (message: Message) => {
      this.returned.add(returnedMessages.idOf(message));
      returnedMessages.arrived?.();
    });
  }

  /**
   * Resolves when the broker has stored the message; false when it is mandatory and there is no queue for it. Rejects with
   * BUS_UNAVAILABLE when it is not known to be stored.
   */
  publish(
    id: string,
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Options.Publish,
  ): Promise<boolean> {
    if (this.unconfirmed >= MAX_UNCONFIRMED)
      return Promise.reject(unavailable('The message broker does not confirm what is published'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unavailable('The message broker did not confirm in time')),
        CONFIRM_TIMEOUT_MS,
      );
      this.unconfirmed += 1;
      const confirmed = (error: unknown) => {
        clearTimeout(timer);
        this.unconfirmed -= 1;
        const wasReturned = this.returned.delete(id);
        if (error) reject(unavailable('The message broker did not take the message', error));
        else resolve(!wasReturned);
      };
      try {
        this.channel.publish(exchange, routingKey, content, options, confirmed);
      } catch (error) {
        confirmed(error);
      }
    });
  }
}
