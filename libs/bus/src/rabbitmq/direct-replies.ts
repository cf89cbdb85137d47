import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import { unavailable } from './confirmations.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { connectTo } from './rabbit-connection.js';

/** How addresses begin that RabbitMQ gives to those who wait for a reply without a queue. */
const DIRECT_REPLY = 'amq.rabbitmq.reply-to.';
const INTERNAL_ERROR = 541;
const END_TIMEOUT_MS = 1_000;
/** After a connection that did not come about none is tried for so long: whoever waits for it hears of it at once. */
const PAUSE_MS = 1_000;
const MAX_WAITING = 1_000;

export const isDirectReply = (routingKey: string): boolean => routingKey.startsWith(DIRECT_REPLY);

/** A reply to such an address. */
export interface DirectReply {
  readonly routingKey: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

interface Connection {
  readonly model: ChannelModel;
  readonly publisher: ConfirmedPublisher;
  /** Whether the broker ended the connection because of what it was sent; known soon after it did. */
  readonly refusal: Promise<boolean>;
}

/**
 * Sends replies to such addresses. RabbitMQ ends the connection of whoever publishes to one that it cannot make sense of: it
 * was forged, or is of a node that is gone. Therefore nothing else is on that connection, and one reply goes after the other:
 * so it is known which of them it was. The connection is made for the first reply, and anew for the next after it was lost.
 */
export class DirectReplies {
  private kept: Connection | null = null;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private failedAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(
    private readonly bus: BusOptions,
    private readonly user: string,
    private readonly connect: typeof connectTo = connectTo,
  ) {}

  /**
   * False when there is no such address. Whether somebody still waits there RabbitMQ does not tell: to it no address is a
   * queue, and what is mandatory is returned although it arrives. Rejects with BUS_UNAVAILABLE when RabbitMQ may not have the
   * reply, or too many are on their way.
   */
  send(reply: DirectReply): Promise<boolean> {
    if (this.waiting >= MAX_WAITING) return Promise.reject(unavailable('Too many direct replies wait'));
    this.waiting += 1;
    const sent = this.last.then(() => this.sendNext(reply)).finally(() => (this.waiting -= 1));
    this.last = sent.catch(() => undefined);
    return sent;
  }

  /** What waits is rejected with BUS_UNAVAILABLE. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.kept?.model.close().catch(() => undefined);
  }

  private async sendNext({ routingKey, body, options }: DirectReply): Promise<boolean> {
    const connection = this.kept ?? (await this.open());
    try {
      return await connection.publisher.offer('', routingKey, body, { ...options, mandatory: false });
    } catch (error) {
      this.forget(connection);
      const late = sleep(END_TIMEOUT_MS, false, { ref: false });
      const wasRefused = await Promise.race([connection.refusal, late]);
      void connection.model.close().catch(() => undefined);
      if (wasRefused) return false;
      throw error;
    }
  }

  private async open(): Promise<Connection> {
    const problem = 'There is no connection to the RabbitMQ of compute for direct replies';
    if (this.isClosed || performance.now() - this.failedAt < PAUSE_MS) throw unavailable(problem);
    try {
      const model = await this.connect(this.bus, 'direct replies');
      const refusal = refusalBy(model);
      const channel = await channelOf(model);
      channel.on('error', () => undefined);
      const connection = { model, refusal, publisher: new ConfirmedPublisher(channel, this.user) };
      this.kept = connection;
      model.on('close', () => this.forget(connection));
      if (this.isClosed) await model.close();
      return connection;
    } catch (error) {
      this.failedAt = performance.now();
      throw unavailable(problem, error);
    }
  }

  private forget(connection: Connection): void {
    if (this.kept === connection) this.kept = null;
  }
}

/** Where there is none, neither is there a connection. */
async function channelOf(model: ChannelModel): Promise<ConfirmChannel> {
  try {
    return await model.createConfirmChannel();
  } catch (error) {
    void model.close().catch(() => undefined);
    throw error;
  }
}

function refusalBy(model: ChannelModel): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    model.on('error', (error: Error & { code?: unknown }) => resolve(error.code === INTERNAL_ERROR));
    model.on('close', () => resolve(false));
  });
}
