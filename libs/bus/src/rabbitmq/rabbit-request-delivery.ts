import type { Channel, ConsumeMessage } from 'amqplib';
import type { RequestDelivery } from '../transport.js';
import { unlessClosed } from './unless-closed.js';

export class RabbitRequestDelivery implements RequestDelivery {
  readonly body: string;
  readonly isRedelivered: boolean;

  constructor(
    private readonly channel: Channel,
    private readonly message: ConsumeMessage,
  ) {
    this.body = message.content.toString();
    this.isRedelivered = message.fields.redelivered;
  }

  answer(body: string): void {
    const { replyTo } = this.message.properties;
    if (typeof replyTo !== 'string') return;
    unlessClosed(() =>
      this.channel.publish('', replyTo, Buffer.from(body), { contentType: 'application/json' }),
    );
  }

  done(): void {
    unlessClosed(() => this.channel.ack(this.message));
  }
}
