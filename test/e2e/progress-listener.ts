import { snapshotEvents } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { type ChannelModel, connect } from 'amqplib';

/** Keeps what Glimpse announces of how far snapshots have come. */
export class ProgressListener {
  private readonly payloads: Record<string, unknown>[] = [];

  private constructor(private readonly connection: ChannelModel) {}

  static async on(busUrl: string): Promise<ProgressListener> {
    const listener = new ProgressListener(await connect(busUrl));
    const channel = await listener.connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'glimpse.events', snapshotEvents.progress.name);
    await channel.consume(queue, (message) => {
      if (message !== null) listener.payloads.push(JSON.parse(message.content.toString()));
    });
    return listener;
  }

  /** The first one of that kind, whether it came already or not. */
  expect(isMeant: (payload: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return waitFor('the progress of a snapshot', () => this.payloads.find(isMeant));
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
