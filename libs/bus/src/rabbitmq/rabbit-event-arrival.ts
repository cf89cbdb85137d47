import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { deadLettersName, retryQueue } from '../topology.js';
import type { EventArrival } from '../transport.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import { MAX_REASON_LENGTH, headers } from './headers.js';
import { unlessClosed } from './unless-closed.js';

/** Puts aside by publishing a copy, and acknowledges only when the broker has it: two copies may exist, never none. */
export class RabbitEventArrival implements EventArrival {
  readonly body: string;
  readonly attempt: number;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly publisher: ConfirmedPublisher,
    private readonly message: ConsumeMessage,
    private readonly place: { service: string; queue: string; fail: (error: unknown) => void },
  ) {
    this.body = message.content.toString();
    this.attempt = Number(message.properties.headers?.[headers.attempt] ?? 1);
  }

  done(): void {
    unlessClosed(() => this.channel.ack(this.message));
  }

  retry(delayMs: number): Promise<void> {
    return this.move('', retryQueue(this.place.service, delayMs), { [headers.attempt]: this.attempt + 1 });
  }

  bury(reason: string): Promise<void> {
    return this.move(deadLettersName, '', {
      [headers.attempts]: this.attempt,
      [headers.diedAt]: new Date().toISOString(),
      [headers.queue]: this.place.queue,
      [headers.reason]: reason.slice(0, MAX_REASON_LENGTH),
    });
  }

  private async move(exchange: string, key: string, ownHeaders: Record<string, unknown>): Promise<void> {
    const { messageId, type } = this.message.properties;
    try {
      await this.publisher.publish(exchange, key, this.message.content, {
        headers: ownHeaders,
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
