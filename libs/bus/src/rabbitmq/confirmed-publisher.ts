import { ServiceError } from '@glimpse/contracts';
import type { ConfirmChannel, Options } from 'amqplib';
import { headers } from './headers.js';

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
    channel.on('return', ({ properties }) =>
      this.returned.add(String(properties.headers?.[headers.publication])),
    );
  }

  /** Rejects with BUS_UNAVAILABLE when the message is not known to be stored; with `mandatory`, in a queue. */
  async publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Options.Publish,
  ): Promise<void> {
    if (!(await this.offer(exchange, routingKey, content, options)))
      throw unavailable(`No queue takes ${routingKey}`);
  }

  /** As {@link publish}; false when the message is mandatory and there is no queue for it. */
  offer(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): Promise<boolean> {
    if (this.unconfirmed >= MAX_UNCONFIRMED)
      return Promise.reject(unavailable('The message broker does not confirm what is published'));
    const publication = String((this.lastId += 1));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unavailable('The message broker did not confirm in time')),
        CONFIRM_TIMEOUT_MS,
      );
      this.unconfirmed += 1;
      const confirmed = (error: unknown) => {
        clearTimeout(timer);
        this.unconfirmed -= 1;
        const wasReturned = this.returned.delete(publication);
        if (error) reject(unavailable('The message broker did not take the message', error));
        else resolve(!wasReturned);
      };
      const all = {
        contentType: 'application/json',
        persistent: true,
        userId: this.userId,
        ...options,
        headers: { ...(options.headers as object | undefined), [headers.publication]: publication },
      };
      try {
        this.channel.publish(exchange, routingKey, content, all, confirmed);
      } catch (error) {
        confirmed(error);
      }
    });
  }
}

const unavailable = (message: string, cause?: unknown) =>
  new ServiceError('BUS_UNAVAILABLE', message, { cause });
