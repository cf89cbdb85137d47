import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { deadLettersName, retryExchange, retryQueue } from '../topology.js';
import type { EventArrival } from '../transport.js';
import { cloudEventHeaders, envelopeText } from './cloud-event.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import { MAX_REASON_LENGTH, headers } from './headers.js';
import type { TrustedUsers } from './trusted-users.js';
import { unlessClosed } from './unless-closed.js';

/** Puts aside by publishing a copy, and acknowledges only when the broker has it: two copies may exist, never none. */
export class RabbitEventArrival implements EventArrival {
  readonly body: string;
  readonly attempt: number;
  readonly refusal: string | null;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly publisher: ConfirmedPublisher,
    private readonly message: ConsumeMessage,
    private readonly place: {
      service: string;
      queue: string;
      trusted: TrustedUsers;
      fail: (error: unknown) => void;
    },
  ) {
    this.refusal = place.trusted.refusalOf(message.properties);
    this.body = envelopeText(message.properties, message.content);
    this.attempt = Number(message.properties.headers?.[headers.attempt] ?? 1);
  }

  done(): void {
    unlessClosed(() => this.channel.ack(this.message));
  }

  retry(delayMs: number): Promise<void> {
    const { service } = this.place;
    const key = retryQueue(service, delayMs);
    return this.move(retryExchange(service), key, { [headers.attempt]: this.attempt + 1 });
  }

  bury(reason: string): Promise<void> {
    return this.move(deadLettersName, '', {
      [headers.attempts]: this.attempt,
      [headers.diedAt]: new Date().toISOString(),
      [headers.queue]: this.place.queue,
      [headers.reason]: reason.slice(0, MAX_REASON_LENGTH),
      // It would be put back in our own name.
      ...(this.refusal === null
        ? {}
        : { [headers.isRefused]: true, [headers.notReplayable]: `It was ${this.refusal}` }),
    });
  }

  private async move(exchange: string, key: string, ownHeaders: Record<string, unknown>): Promise<void> {
    const { messageId, type } = this.message.properties;
    try {
      await this.publisher.publish(exchange, key, this.message.content, {
        headers: { ...cloudEventHeaders(this.message.properties), ...ownHeaders },
        mandatory: true,
        messageId: typeof messageId === 'string' ? messageId : randomUUID(),
        ...(typeof type === 'string' ? { type } : {}),
      });
    } catch (error) {
      // A new connection declares what is missing, and has the event delivered again after a pause.
      this.place.fail(error);
      throw error;
    }
    this.done();
  }
}
