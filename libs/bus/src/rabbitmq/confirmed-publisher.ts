import type { ConfirmChannel, Options } from 'amqplib';
import { Confirmations, unavailable } from './confirmations.js';
import { headers } from './headers.js';

/** Publishes persistent messages of which the broker says that it has them. */
export class ConfirmedPublisher {
  private readonly confirmations: Confirmations;
  private lastId = 0;

  constructor(
    channel: ConfirmChannel,
    private readonly userId: string,
  ) {
    this.confirmations = new Confirmations(channel, {
      idOf: ({ properties }) => String(properties.headers?.[headers.publication]),
    });
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
    const publication = String((this.lastId += 1));
    return this.confirmations.publish(publication, exchange, routingKey, content, {
      contentType: 'application/json',
      persistent: true,
      userId: this.userId,
      ...options,
      headers: { ...(options.headers as object | undefined), [headers.publication]: publication },
    });
  }
}
