import { waitFor } from '@glimpse/testing';
import { type ChannelModel, type MessageProperties, connect } from 'amqplib';

/** A notification as a consumer of oslo.messaging sees it. */
export interface SeenNotification {
  readonly message_id: string;
  readonly publisher_id: string;
  readonly event_type: string;
  readonly priority: string;
  readonly payload: Readonly<Record<string, unknown>> | string;
  readonly timestamp: string;
  readonly _unique_id: string;
}

export interface SeenMessage {
  readonly notification: SeenNotification;
  readonly routingKey: string;
  readonly exchange: string;
  readonly properties: MessageProperties;
}

const QUEUES = ['notifications.info', 'notifications.error'];

/** Takes all notifications of a RabbitMQ, of both priorities, in the order in which they arrive. */
export class NotificationReader {
  readonly seen: SeenMessage[] = [];

  private constructor(private readonly connection: ChannelModel) {}

  /** Once their queues are there. */
  static async on(url: string): Promise<NotificationReader> {
    const connection = await connect(url);
    const reader = new NotificationReader(connection);
    for (const queue of QUEUES) {
      await waitFor(`the queue ${queue}`, () => isThere(connection, queue));
      const channel = await connection.createChannel();
      await channel.consume(queue, (message) => message !== null && reader.take(message), { noAck: true });
    }
    return reader;
  }

  /** The types on an image (or a task on it, or what is sent of it), each once whatever is delivered again. */
  typesOf(imageId: string): string[] {
    return this.of(imageId).map(({ event_type: type, priority }) =>
      priority === 'INFO' ? type : `${type} ${priority}`,
    );
  }

  of(imageId: string): SeenNotification[] {
    const unique = new Map(this.seen.map(({ notification }) => [notification.message_id, notification]));
    return [...unique.values()].filter(({ payload }) =>
      typeof payload === 'string'
        ? payload.includes(imageId)
        : payload['id'] === imageId || payload['image_id'] === imageId,
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private take({
    content,
    properties,
    fields,
  }: {
    content: Buffer;
    properties: MessageProperties;
    fields: { routingKey: string; exchange: string };
  }): void {
    const envelope = JSON.parse(content.toString()) as Record<string, string>;
    this.seen.push({
      notification: JSON.parse(envelope['oslo.message'] ?? '{}') as SeenNotification,
      routingKey: fields.routingKey,
      exchange: fields.exchange,
      properties,
    });
  }
}

async function isThere(connection: ChannelModel, queue: string): Promise<boolean> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  try {
    await channel.checkQueue(queue);
    await channel.close();
    return true;
  } catch {
    return false;
  }
}
