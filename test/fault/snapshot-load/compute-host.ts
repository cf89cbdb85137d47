import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { type PlannedSnapshot, messageOf } from './snapshot-plan.js';

const EXCHANGE = 'glimpse.snapshots';

/** What is read of a reply. */
export interface Reply {
  readonly request_id: string | null;
  readonly status: string;
  readonly image_id: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A compute host: plain AMQP, one connection, and a queue for its replies. */
export class ComputeHost {
  readonly replies: Reply[] = [];
  /** When the last one came, as `performance.now()`. */
  lastReplyAt = 0;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly replyTo: string,
  ) {}

  static async open(busUrl: string): Promise<ComputeHost> {
    const connection = await connect(busUrl, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const host = new ComputeHost(connection, channel, queue);
    await channel.consume(queue, (message) => host.receive(message?.content), { noAck: true });
    return host;
  }

  /** Publishes all of them at once; resolves when the broker has taken them. */
  async publish(snapshots: readonly PlannedSnapshot[]): Promise<void> {
    for (const snapshot of snapshots)
      this.channel.publish(EXCHANGE, 'snapshot.create', messageOf(snapshot), {
        persistent: true,
        contentType: 'application/json',
        correlationId: snapshot.requestId,
        replyTo: this.replyTo,
      });
    await this.channel.waitForConfirms();
  }

  get replyCount(): number {
    return this.replies.length;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private receive(content: Buffer | undefined): void {
    if (content === undefined) return;
    this.replies.push(JSON.parse(content.toString()) as Reply);
    this.lastReplyAt = performance.now();
  }
}
