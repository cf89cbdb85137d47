import type { Database, OutboxRow } from '@glimpse/persistence';
import { waitFor } from '@glimpse/testing';
import { type ChannelModel, connect } from 'amqplib';

const QUEUE = 'chaos.events';
const EVENTS = 'glimpse.events';
const DEAD_LETTERS = 'glimpse.dead-letters';
const ARRIVAL_TIMEOUT_MS = 30_000;
const BROKER_TIMEOUT_MS = 60_000;

/** A subscriber that is away until the end: RabbitMQ keeps for it what was announced, through all of its deaths. */
export class EventLog {
  private constructor(private readonly busUrl: string) {}

  /** From now on events are kept. The services have made their exchange before. */
  static async open(busUrl: string): Promise<EventLog> {
    const log = new EventLog(busUrl);
    await log.connected(async (connection) => {
      const channel = await connection.createChannel();
      await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await channel.bindQueue(QUEUE, EVENTS, '#');
    });
    return log;
  }

  /** The events that were committed and have not arrived, and what ended among the dead letters. */
  async findLost(database: Database): Promise<string[]> {
    const committed = await database.query<Pick<OutboxRow, 'event_id' | 'name'>>(
      'SELECT event_id, name FROM outbox',
    );
    const arrived = new Set<string>();
    return this.connected(async (connection) => {
      const channel = await connection.createChannel();
      // What the end of this connection takes along comes again on the next. Of messages that are not acknowledged a quorum
      // queue hands out 2000, and then no more.
      await channel.consume(QUEUE, (message) => {
        if (message === null) return;
        arrived.add(String(message.properties.messageId));
        channel.ack(message);
      });
      const missing = () => committed.filter(({ event_id: id }) => !arrived.has(id));
      await waitFor('all events', () => missing().length === 0, ARRIVAL_TIMEOUT_MS).catch(() => undefined);
      const { messageCount } = await channel.checkQueue(DEAD_LETTERS);
      return [
        ...missing().map((event) => `never arrived: ${event.name} ${event.event_id}`),
        ...(messageCount === 0 ? [] : [`${messageCount} dead letters`]),
      ];
    });
  }

  /** As any client of a broker that is killed: what ends with its connection is done again on another one. */
  private async connected<T>(work: (connection: ChannelModel) => Promise<T>): Promise<T> {
    const attempt = async () => {
      const connection = await connect(this.busUrl);
      const ended = new Promise<never>((_, reject) => {
        connection.on('error', reject);
      });
      try {
        return { answer: await Promise.race([work(connection), ended]) };
      } finally {
        await connection.close().catch(() => undefined);
      }
    };
    return (await waitFor('RabbitMQ', attempt, BROKER_TIMEOUT_MS)).answer;
  }
}
