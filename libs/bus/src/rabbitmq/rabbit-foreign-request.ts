import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage, MessageProperties } from 'amqplib';
import type { ForeignRequest } from '../foreign-requests.js';
import {
  deadLettersName,
  snapshotRequestsQueue,
  snapshotRetryExchange,
  snapshotRetryQueue,
} from '../topology.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import { snapshotRetryDelaysMs } from './declare.js';
import { MAX_REASON_LENGTH, headers } from './headers.js';
import type { TrustedUsers } from './trusted-users.js';
import { unlessClosed } from './unless-closed.js';

/** Of a property of AMQP. */
const MAX_TEXT_BYTES = 255;

/**
 * A text that can be passed on. Bytes that are no UTF-8 become longer when they are read, and nobody publishes a text
 * that is too long; nor headers of any length.
 */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_TEXT_BYTES ? value : null;

/** A copy where it is cut, so that the rest is not held on to. */
const beginningOf = (content: Buffer, bytes: number): Buffer =>
  content.length <= bytes ? content : Buffer.from(content.subarray(0, bytes));

/** What our own services wrote on a copy; undefined on what comes from anybody else. */
function ownHeadersOf(properties: MessageProperties, trusted: TrustedUsers) {
  const given = properties.headers ?? {};
  const isOurs = trusted.refusalOf(properties) === null && given[headers.publisher] !== undefined;
  return isOurs ? given : undefined;
}

function deadlineOf({ expiration }: MessageProperties): number | null {
  const ms = Number(expiration ?? NaN);
  return Number.isFinite(ms) ? Date.now() + ms : null;
}

/** Puts aside by publishing a copy, and acknowledges only when the broker has it: two copies may exist, never none. */
export class RabbitForeignRequest implements ForeignRequest {
  readonly body: Buffer;
  readonly publisher: string | null;
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  readonly compression: string | null;
  readonly traceparent: string | null;
  readonly attempt: number;
  readonly redeliveries: number;
  readonly deadline: number | null;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly publisherOfCopies: ConfirmedPublisher,
    private readonly message: ConsumeMessage,
    private readonly place: {
      readonly trusted: TrustedUsers;
      readonly maxBodyBytes: number;
      readonly fail: (error: unknown) => void;
    },
  ) {
    const { content, properties } = message;
    const given = properties.headers ?? {};
    const own = ownHeadersOf(properties, place.trusted);
    this.body = beginningOf(content, place.maxBodyBytes + 1);
    message.content = this.body;
    this.publisher = textOf(own === undefined ? properties.userId : own[headers.publisher]);
    this.replyTo = textOf(properties.replyTo);
    this.correlationId = textOf(properties.correlationId);
    this.compression = textOf(given['compression']);
    this.traceparent = textOf(given['traceparent']);
    this.attempt = Number(own?.[headers.attempt] ?? 1);
    const deliveries: unknown = given['x-delivery-count'];
    this.redeliveries = typeof deliveries === 'number' ? deliveries : 0;
    const kept = own?.[headers.deadline];
    this.deadline = typeof kept === 'number' ? kept : deadlineOf(properties);
  }

  done(): void {
    unlessClosed(() => this.channel.ack(this.message));
  }

  retry(): Promise<void> {
    const delayMs = snapshotRetryDelaysMs[this.attempt - 1] ?? snapshotRetryDelaysMs.at(-1)!;
    return this.move(snapshotRetryExchange, snapshotRetryQueue(delayMs), this.body, {
      [headers.attempt]: this.attempt + 1,
      ...(this.compression === null ? {} : { compression: this.compression }),
      ...(this.deadline === null ? {} : { [headers.deadline]: this.deadline }),
    });
  }

  bury(reason: string, body: Buffer, notReplayable: string | null): Promise<void> {
    return this.move(deadLettersName, '', body, {
      [headers.attempts]: this.attempt + this.redeliveries,
      [headers.diedAt]: new Date().toISOString(),
      [headers.queue]: snapshotRequestsQueue,
      [headers.reason]: reason.slice(0, MAX_REASON_LENGTH),
      ...(notReplayable === null
        ? {}
        : { [headers.notReplayable]: notReplayable.slice(0, MAX_REASON_LENGTH) }),
    });
  }

  private async move(
    exchange: string,
    key: string,
    body: Buffer,
    ownHeaders: Record<string, unknown>,
  ): Promise<void> {
    const { messageId } = this.message.properties;
    try {
      await this.publisherOfCopies.publish(exchange, key, body, {
        mandatory: true,
        messageId: textOf(messageId) ?? randomUUID(),
        type: 'snapshot request',
        ...(this.replyTo === null ? {} : { replyTo: this.replyTo }),
        ...(this.correlationId === null ? {} : { correlationId: this.correlationId }),
        headers: {
          ...ownHeaders,
          // The copy is published in our own name.
          [headers.publisher]: this.publisher ?? '',
          ...(this.traceparent === null ? {} : { traceparent: this.traceparent }),
        },
      });
    } catch (error) {
      // A new connection declares what is missing, and has the request delivered again after a pause.
      this.place.fail(error);
      throw error;
    }
    this.done();
  }
}
