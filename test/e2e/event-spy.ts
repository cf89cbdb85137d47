import { join } from 'node:path';
import type { Glimpse } from '@glimpse/testing';
import { waitFor } from '@glimpse/testing';
import { type ChannelModel, connect } from 'amqplib';
import Sqlite from 'libsql';

/** Everything that a Glimpse announces: what goes over RabbitMQ, or, without one, what its outbox holds. */
export class EventSpy {
  private readonly bodies: string[] = [];

  private constructor(
    private readonly glimpse: Glimpse,
    private readonly connection: ChannelModel | null,
  ) {}

  static async on(glimpse: Glimpse): Promise<EventSpy> {
    const busUrl = glimpse.env['GLIMPSE_BUS_URL'];
    if (busUrl === undefined) return new EventSpy(glimpse, null);
    const connection = await connect(busUrl);
    const spy = new EventSpy(glimpse, connection);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'glimpse.events', '#');
    await channel.consume(queue, (message) => {
      if (message !== null) spy.bodies.push(JSON.stringify([message.properties, message.content.toString()]));
    });
    return spy;
  }

  /** Puts a message that nobody can read into the queues of the calls and of the events. */
  async poison(body: string): Promise<void> {
    const channel = await this.connection?.createConfirmChannel();
    const userId = new URL(this.glimpse.env['GLIMPSE_BUS_URL'] ?? '').username;
    for (const queue of ['glimpse.registry', 'glimpse.events.store-worker'])
      channel?.sendToQueue(queue, Buffer.from(body), { userId });
    await channel?.waitForConfirms();
  }

  /** All of them, the audit's too, once one of these is there. */
  async events(): Promise<string[]> {
    await waitFor('a record of the audit', () => this.seen().some((body) => body.includes('audit.recorded')));
    return this.seen();
  }

  async close(): Promise<void> {
    await this.connection?.close();
  }

  private seen(): string[] {
    if (this.connection !== null) return this.bodies;
    const database = new Sqlite(join(this.glimpse.dataDir, 'glimpse.sqlite'), { readonly: true });
    try {
      return database
        .prepare('SELECT * FROM outbox')
        .all()
        .map((row) => JSON.stringify(row));
    } finally {
      database.close();
    }
  }
}
