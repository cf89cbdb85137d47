import type { ChannelModel } from 'amqplib';
import type { BusOptions } from './bus-options.js';
import { retryDelays } from './events/retry-delays.js';
import { nameEverything, nameSnapshotRequests } from './rabbitmq/declare.js';
import { type NotificationPlaces, declareNotifications } from './rabbitmq/declare-notifications.js';
import { connectTo } from './rabbitmq/rabbit-connection.js';
import { type TopologyChannel, makeOn } from './rabbitmq/topology-channel.js';

/**
 * Makes every exchange, queue and binding that the services need, where they are missing. The user of the URL needs
 * all rights on the virtual host. Rejects when the broker can't be reached, or has one of them with other properties.
 */
export const declareTopology = (bus: BusOptions): Promise<void> =>
  declare(bus, (on) => nameEverything(on, retryDelays(bus.options)));

/** As {@link declareTopology}, of what requests for snapshots need on a RabbitMQ that has nothing else of ours. */
export const declareSnapshotTopology = (bus: BusOptions): Promise<void> => declare(bus, nameSnapshotRequests);

/** As {@link declareTopology}, of where notifications go. What is there with another durability is left as it is. */
export const declareNotificationTopology = (bus: BusOptions, places: NotificationPlaces): Promise<void> =>
  connected(bus, async (model) => {
    const [missing] = await declareNotifications(model, places);
    if (missing !== undefined) throw missing.error;
  });

const declare = (bus: BusOptions, name: (on: TopologyChannel) => Promise<void>): Promise<void> =>
  connected(bus, async (model) => {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await name(makeOn(channel));
  });

async function connected(bus: BusOptions, use: (model: ChannelModel) => Promise<void>): Promise<void> {
  const model = await connectTo(bus, 'declare');
  model.on('error', () => undefined);
  try {
    await use(model);
  } finally {
    await model.close().catch(() => undefined);
  }
}
