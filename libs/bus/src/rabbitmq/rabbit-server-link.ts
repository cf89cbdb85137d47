import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import { retryDelays } from '../events/retry-delays.js';
import { instanceQueue, serviceQueue } from '../topology.js';
import type { Consumption, EventConsumption, ServerLink } from '../transport.js';
import { showConnected } from '../connection-gauge.js';
import { atMost } from './at-most.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { declareInstanceEvents, nameCalls, nameRetries, nameShared } from './declare.js';
import { RabbitConnection } from './rabbit-connection.js';
import { RabbitEventArrival } from './rabbit-event-arrival.js';
import { RabbitRequestDelivery } from './rabbit-request-delivery.js';
import { type TopologyChannel, findOn, makeOn } from './topology-channel.js';
import { TrustedUsers, userOf } from './trusted-users.js';

/** How long a stopping process waits for a broker that says nothing. */
const ANSWER_TIMEOUT_MS = 5_000;

/** The receiving end on RabbitMQ: a channel for calls and one with confirms for events. */
export class RabbitServerLink implements ServerLink {
  private readonly connection: RabbitConnection;
  private consumption: Consumption | null = null;
  private resolveOpened: () => void = () => undefined;
  private channels: Channel[] = [];
  private consumers: { channel: Channel; tag: string }[] = [];
  private sessions = 0;
  private isStopping = false;
  /** Who we are to the broker. */
  readonly user: string;
  readonly trusted: TrustedUsers;

  constructor(private readonly bus: BusOptions) {
    this.user = userOf(bus.url);
    this.trusted = new TrustedUsers(this.user, bus.options.trustedUsers);
    this.connection = new RabbitConnection(bus, 'server', {
      setUp: (model) => this.setUp(model),
      up: () => {
        showConnected(bus.service, 'server', true);
        this.resolveOpened();
      },
      down: () => {
        showConnected(bus.service, 'server', false);
        this.channels = [];
        this.consumers = [];
      },
    });
  }

  open(consumption: Consumption): Promise<void> {
    this.consumption = consumption;
    this.connection.start();
    return new Promise((resolve) => {
      this.resolveOpened = resolve;
    });
  }

  isConnected(): boolean {
    return this.connection.isConnected;
  }

  async stopConsuming(): Promise<void> {
    this.isStopping = true;
    // A channel that is gone consumes nothing either.
    const cancelled = this.consumers.map(({ channel, tag }) => channel.cancel(tag));
    await atMost(ANSWER_TIMEOUT_MS, Promise.allSettled(cancelled));
  }

  async close(): Promise<void> {
    // Closing a channel waits until the broker has all that was written to it; closing a connection does not.
    const closed = this.channels.map((channel) => channel.close());
    await atMost(ANSWER_TIMEOUT_MS, Promise.allSettled(closed));
    await this.connection.close();
  }

  private async setUp(model: ChannelModel): Promise<void> {
    this.sessions += 1;
    if (this.consumption === null || this.isStopping) return;
    const { requests, serviceEvents, instanceEvents } = this.consumption;
    if (requests !== null) await this.consumeCalls(this.watch(await model.createChannel()), requests);
    const events = this.watch(await model.createConfirmChannel());
    await nameShared(this.topology(events));
    if (serviceEvents !== null) await this.consumeServiceEvents(events, serviceEvents);
    if (instanceEvents !== null) await this.consumeInstanceEvents(events, instanceEvents);
  }

  private async consumeCalls(
    channel: Channel,
    requests: NonNullable<Consumption['requests']>,
  ): Promise<void> {
    const queue = await nameCalls(this.topology(channel), this.bus.service);
    await this.consume(channel, queue, (message) =>
      requests(new RabbitRequestDelivery(channel, message, this)),
    );
  }

  private async consumeServiceEvents(channel: ConfirmChannel, { take }: EventConsumption): Promise<void> {
    const { service, options } = this.bus;
    await nameRetries(this.topology(channel), service, retryDelays(options));
    await this.consumeEvents(channel, serviceQueue(service), take);
  }

  private async consumeInstanceEvents(
    channel: ConfirmChannel,
    { names, take }: EventConsumption,
  ): Promise<void> {
    // While the broker has not yet noticed the end of the last connection, the queue of that one is locked.
    const suffix = this.sessions === 1 ? '' : `.${this.sessions}`;
    const queue = instanceQueue(this.bus.service, this.bus.instanceId) + suffix;
    await declareInstanceEvents(channel, queue, names);
    await this.consumeEvents(channel, queue, take);
  }

  private async consumeEvents(
    channel: ConfirmChannel,
    queue: string,
    take: EventConsumption['take'],
  ): Promise<void> {
    const publisher = new ConfirmedPublisher(channel, this.user);
    const place = {
      service: this.bus.service,
      queue,
      trusted: this.trusted,
      fail: (error: unknown) => this.connection.fail(error),
    };
    await this.consume(channel, queue, (message) =>
      take(new RabbitEventArrival(channel, publisher, message, place)),
    );
  }

  private async consume(
    channel: Channel,
    queue: string,
    take: (message: ConsumeMessage) => void,
  ): Promise<void> {
    await channel.prefetch(this.bus.options.prefetch);
    const { consumerTag: tag } = await channel.consume(queue, (message) => {
      if (message === null) this.connection.fail(new Error(`The queue ${queue} was deleted`));
      else take(message);
    });
    this.consumers.push({ channel, tag });
  }

  private topology(channel: Channel): TopologyChannel {
    return this.bus.options.declare ? makeOn(channel) : findOn(channel);
  }

  private watch<C extends Channel>(channel: C): C {
    channel.on('error', (error) => this.connection.fail(error));
    this.channels.push(channel);
    return channel;
  }
}
