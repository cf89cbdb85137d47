import type { Channel, ConsumeMessage } from 'amqplib';
import type { RequestDelivery } from '../transport.js';
import type { TrustedUsers } from './trusted-users.js';
import { unlessClosed } from './unless-closed.js';

/** What the broker makes of a request for direct answers. */
const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to.';

export class RabbitRequestDelivery implements RequestDelivery {
  readonly body: string;
  readonly isRedelivered: boolean;
  readonly refusal: string | null;

  constructor(
    private readonly channel: Channel,
    private readonly message: ConsumeMessage,
    private readonly self: { readonly user: string; readonly trusted: TrustedUsers },
  ) {
    this.refusal = self.trusted.refusalOf(message.properties);
    this.body = message.content.toString();
    this.isRedelivered = message.fields.redelivered;
  }

  answer(body: string): void {
    const { replyTo } = this.message.properties;
    // Anything else would have us write, in our name, into a queue that the caller may not write to.
    if (typeof replyTo !== 'string' || !replyTo.startsWith(DIRECT_REPLY_TO)) return;
    unlessClosed(() =>
      this.channel.publish('', replyTo, Buffer.from(body), {
        contentType: 'application/json',
        userId: this.self.user,
      }),
    );
  }

  done(): void {
    unlessClosed(() => this.channel.ack(this.message));
  }
}
