import type { BusOptions } from './bus-options.js';
import { retryDelays } from './events/retry-delays.js';
import { nameEverything } from './rabbitmq/declare.js';
import { connectTo } from './rabbitmq/rabbit-connection.js';
import { makeOn } from './rabbitmq/topology-channel.js';

/**
 * Makes every exchange, queue and binding that the services need, where they are missing. The user of the URL needs
 * all rights on the virtual host. Rejects when the broker can't be reached, or has one of them with other properties.
 */
export async function declareTopology(bus: BusOptions): Promise<void> {
  const model = await connectTo(bus, 'declare');
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await nameEverything(makeOn(channel), retryDelays(bus.options));
  } finally {
    await model.close().catch(() => undefined);
  }
}
