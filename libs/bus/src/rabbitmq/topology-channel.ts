import { ServiceError } from '@glimpse/contracts';
import type { Channel } from 'amqplib';

type Arguments = Readonly<Record<string, string | number>>;

/** Where exchanges and queues are named: made where they are missing, or only looked for. */
export interface TopologyChannel {
  exchange(name: string, type: 'direct' | 'fanout' | 'topic'): Promise<void>;
  /** A durable queue. */
  queue(name: string, args: Arguments): Promise<void>;
  bind(queue: string, exchange: string, routingKey: string): Promise<void>;
}

/** Makes what is missing: needs the right to `configure` it. */
export const makeOn = (channel: Channel): TopologyChannel => ({
  exchange: async (name, type) => void (await channel.assertExchange(name, type, { durable: true })),
  queue: async (name, args) =>
    void (await channel.assertQueue(name, { durable: true, arguments: { ...args } })),
  bind: async (queue, exchange, routingKey) => void (await channel.bindQueue(queue, exchange, routingKey)),
});

/** Looks only: rejects, saying what to do, where something is missing. Needs no rights. */
export function findOn(channel: Channel): TopologyChannel {
  const find = async (what: string, looking: Promise<unknown>) => {
    try {
      await looking;
    } catch (cause) {
      const message = `There is no ${what}: have it made with \`glimpse-manage bus declare\`, or set bus.declare`;
      throw new ServiceError('BUS_UNAVAILABLE', message, { cause });
    }
  };
  return {
    exchange: (name) => find(`exchange ${name}`, channel.checkExchange(name)),
    queue: (name) => find(`queue ${name}`, channel.checkQueue(name)),
    // A binding can't be asked for.
    bind: () => Promise.resolve(),
  };
}
