import { type ChannelModel, connect } from 'amqplib';

const EVENTS = 'glimpse.events';
const names = ['accepted', 'completed', 'failed', 'cancelled'] as const;
export type SnapshotEventName = (typeof names)[number];

export interface SnapshotEvent {
  /** The same again is the same event again. */
  readonly id: string;
  readonly name: SnapshotEventName;
  readonly requestId: string;
  readonly projectId: string;
  readonly imageId: string;
  readonly error: unknown;
  /** As `performance.now()`. */
  readonly at: number;
}

interface Payload {
  readonly request_id: string;
  readonly project_id: string;
  readonly image_id: string;
  readonly error?: unknown;
}

/** Listens to how snapshots go, and keeps it in order. An event that is delivered again is kept once. */
export class SnapshotEvents {
  readonly all: SnapshotEvent[] = [];
  private readonly known = new Set<string>();

  private constructor(private readonly connection: ChannelModel) {}

  static async open(busUrl: string): Promise<SnapshotEvents> {
    const events = new SnapshotEvents(await connect(busUrl, { noDelay: true }));
    const channel = await events.connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    for (const name of names) await channel.bindQueue(queue, EVENTS, `snapshot.${name}`);
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return;
        const { messageId, type } = message.properties as { messageId: string; type: string };
        events.take(messageId, type, JSON.parse(message.content.toString()) as Payload);
      },
      { noAck: true },
    );
    return events;
  }

  named(name: SnapshotEventName): SnapshotEvent[] {
    return this.all.filter((event) => event.name === name);
  }

  /** How many snapshots have ended, well or not. */
  get ended(): number {
    return this.all.length - this.named('accepted').length;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private take(id: string, type: string, payload: Payload): void {
    const name = names.find((one) => type === `snapshot.${one}`);
    if (name === undefined || this.known.has(id)) return;
    this.known.add(id);
    this.all.push({
      id,
      name,
      requestId: payload.request_id,
      projectId: payload.project_id,
      imageId: payload.image_id,
      error: payload.error ?? null,
      at: performance.now(),
    });
  }
}
