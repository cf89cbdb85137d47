import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, type Message, type Options, connect } from 'amqplib';
import { waitFor } from './wait-for.js';

const REPLY_TIMEOUT_MS = 30_000;

/** What Glimpse answered to a message about a snapshot. */
export interface ComputeReply {
  readonly correlationId: string;
  readonly userId: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Resolves when somebody takes requests for snapshots from that RabbitMQ; what is sent before may reach no queue. */
export async function requestsAreTaken(busUrl: string): Promise<void> {
  await waitFor('somebody who takes requests', async () => {
    const connection = await connect(busUrl);
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      return (await channel.checkQueue('glimpse.snapshots.requests')).consumerCount > 0;
    } finally {
      await connection.close().catch(() => undefined);
    }
  });
}

/** A compute host with nothing but an AMQP library: asks for snapshots and keeps the replies. Whoever opens it closes it. */
export class ComputeHost {
  readonly replies: ComputeReply[] = [];
  /** When the last reply came, as `performance.now()`. */
  lastReplyAt = 0;
  /** The correlation ids of what no queue has taken. */
  private readonly returned = new Set<unknown>();

  private constructor(
    private readonly connection: ChannelModel,
    readonly channel: ConfirmChannel,
    readonly replyQueue: string,
    private readonly user: string,
  ) {
    channel.on('return', ({ properties }: Message) => this.returned.add(properties.correlationId));
  }

  static async open(busUrl: string): Promise<ComputeHost> {
    const connection = await connect(busUrl, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    const queue = `glimpse.snapshots.replies.${randomUUID()}`;
    await channel.assertQueue(queue, { exclusive: true });
    const user = decodeURIComponent(new URL(busUrl).username);
    const host = new ComputeHost(connection, channel, queue, user);
    connection.on('error', () => undefined);
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return;
        const { correlationId, userId } = message.properties;
        const body = JSON.parse(message.content.toString()) as ComputeReply['body'];
        host.lastReplyAt = performance.now();
        host.replies.push({ correlationId: String(correlationId), userId, body });
      },
      { noAck: true },
    );
    return host;
  }

  /**
   * Publishes a message and resolves with its correlation id when a queue has it; rejects where none takes it. `more` are
   * further properties.
   */
  async send(message: object | string | Buffer, more: Options.Publish = {}): Promise<string> {
    const correlationId = this.publish(message, more);
    await this.channel.waitForConfirms();
    if (this.returned.delete(correlationId)) throw new Error('No queue takes requests for snapshots');
    return correlationId;
  }

  /** Publishes all of them, and only then waits until the broker has them. */
  async sendAll(messages: readonly object[]): Promise<void> {
    for (const message of messages) this.publish(message, {});
    await this.channel.waitForConfirms();
  }

  /** The replies to one message so far. */
  repliesTo(correlationId: string): ComputeReply[] {
    return this.replies.filter((reply) => reply.correlationId === correlationId);
  }

  /** The first reply to a message that was sent. */
  async replyTo(correlationId: string, timeoutMs = REPLY_TIMEOUT_MS): Promise<ComputeReply['body']> {
    await waitFor(`the reply to ${correlationId}`, () => this.repliesTo(correlationId).length > 0, timeoutMs);
    return this.repliesTo(correlationId)[0]!.body;
  }

  /** Sends a message and resolves with the first reply to it. */
  async ask(message: object | string | Buffer, more?: Options.Publish): Promise<ComputeReply['body']> {
    return this.replyTo(await this.send(message, more));
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private publish(message: object | string | Buffer, more: Options.Publish): string {
    const correlationId: string = typeof more.correlationId === 'string' ? more.correlationId : randomUUID();
    const body =
      Buffer.isBuffer(message) || typeof message === 'string'
        ? Buffer.from(message as string)
        : Buffer.from(JSON.stringify(message));
    const all = {
      persistent: true,
      mandatory: true,
      replyTo: this.replyQueue,
      userId: this.user,
      ...more,
      correlationId,
    };
    this.channel.publish('glimpse.snapshots', 'snapshot.create', body, all);
    return correlationId;
  }
}
