import { ServiceError } from '@glimpse/contracts';
import type { ConfirmChannel, Options } from 'amqplib';

const CONFIRM_TIMEOUT_MS = 10_000;
/** Bounds what waits in buffers while the broker takes nothing. */
const MAX_UNCONFIRMED = 1_000;

/** Publishes persistent messages of which the broker says that it has them. */
export class ConfirmedPublisher {
  private readonly returned = new Set<string>();
  private unconfirmed = 0;
  private lastId = 0;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly userId: string,
  ) {
    // The broker returns an unroutable message before it confirms it.
    channel.on('return', (message) => this.returned.add(String(message.properties.correlationId)));
  }

  /** Rejects with BUS_UNAVAILABLE when the message is not known to be stored; with `mandatory`, in a queue. */
  publish(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): Promise<void> {
    if (this.unconfirmed >= MAX_UNCONFIRMED)
      return Promise.reject(unavailable('The message broker does not confirm what is published'));
    const correlationId = String((this.lastId += 1));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unavailable('The message broker did not confirm in time')),
        CONFIRM_TIMEOUT_MS,
      );
      this.unconfirmed += 1;
      const confirmed = (error: unknown) => {
        clearTimeout(timer);
        this.unconfirmed -= 1;
        const wasReturned = this.returned.delete(correlationId);
        if (error) reject(unavailable('The message broker did not take the message', error));
        else if (wasReturned) reject(unavailable(`No queue takes ${routingKey}`));
        else resolve();
      };
      try {
        this.channel.publish(
          exchange,
          routingKey,
          content,
          {
            contentType: 'application/json',
            persistent: true,
            userId: this.userId,
            ...options,
            correlationId,
          },
          confirmed,
        );
      } catch (error) {
        confirmed(error);
      }
    });
  }
}

const unavailable = (message: string, cause?: unknown) =>
  new ServiceError('BUS_UNAVAILABLE', message, { cause });
