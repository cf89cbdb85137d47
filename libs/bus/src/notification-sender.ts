import { ServiceError } from '@glimpse/contracts';
import type { ChannelModel } from 'amqplib';
import type { BusOptions } from './bus-options.js';
import { showConnected } from './connection-gauge.js';
import { Confirmations, unavailable } from './rabbitmq/confirmations.js';
import { type NotificationPlaces, declareNotifications } from './rabbitmq/declare-notifications.js';
import { RabbitConnection } from './rabbitmq/rabbit-connection.js';
import { MAX_MESSAGE_BYTES } from './transport.js';

/** As oslo.messaging publishes: these properties and no others. */
const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
} as const;

/**
 * Publishes notifications as oslo.messaging does, on a connection of its own, which is made anew for ever: the RabbitMQ
 * of `bus.url` may be another one than that of the services.
 */
export class NotificationSender {
  private readonly connection: RabbitConnection;
  private confirmations: Confirmations | null = null;
  private isBlocked = false;
  private isDeclaring = false;
  /** The names of the queues that are missing, as they were last logged. */
  private missing: readonly string[] = [];

  constructor(
    private readonly bus: BusOptions,
    private readonly places: NotificationPlaces,
  ) {
    this.connection = new RabbitConnection(bus, 'notifications', {
      setUp: (model) => this.setUp(model),
      up: () => showConnected(bus.service, 'notifications', true),
      down: () => {
        this.confirmations = null;
        showConnected(bus.service, 'notifications', false);
      },
    });
    showConnected(bus.service, 'notifications', false);
    this.connection.start();
  }

  /** Whether the broker can be spoken to: if not, nothing can be sent, whatever it is. */
  get isReady(): boolean {
    return this.confirmations !== null && !this.isBlocked;
  }

  /** Whether there is no such queue, and none could be made when that was last tried. */
  isMissing(queue: string): boolean {
    return this.missing.includes(queue);
  }

  /**
   * Resolves when the broker has stored the message in a queue. Rejects with BUS_UNAVAILABLE otherwise, after a bounded
   * time; then it may or may not have been stored: send it again. Rejects with REQUEST_INVALID what is too large for any
   * broker. No two messages may have the same body.
   */
  async send(routingKey: string, body: string): Promise<void> {
    if (this.confirmations === null) throw unavailable('There is no connection to the message broker');
    if (this.isBlocked) throw unavailable('The message broker takes no notifications at the moment');
    const options = { ...PROPERTIES, mandatory: true };
    const content = Buffer.from(body);
    // The broker would end the connection for it, every time.
    if (content.length > MAX_MESSAGE_BYTES)
      throw new ServiceError('REQUEST_INVALID', 'The notification is too large for the bus');
    if (!(await this.confirmations.publish(body, this.places.exchange, routingKey, content, options)))
      throw unavailable(`No queue takes ${routingKey}`);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async setUp(model: ChannelModel): Promise<void> {
    this.isBlocked = false;
    model.on('blocked', () => {
      this.isBlocked = true;
    });
    model.on('unblocked', () => {
      this.isBlocked = false;
    });
    await this.declare(model);
    const channel = await model.createConfirmChannel();
    channel.on('error', (error) => {
      // What was under way is refused right after this, and nothing else can be sent on the channel.
      this.confirmations = null;
      this.connection.fail(error);
    });
    this.confirmations = new Confirmations(channel, {
      // They have no header of ours that would tell them apart.
      idOf: ({ content }) => content.toString(),
      arrived: () => void this.declareAgain(model),
    });
  }

  private async declare(model: ChannelModel): Promise<void> {
    const missing = await declareNotifications(model, this.places);
    const names = missing.map(({ name }) => name);
    const queues = names.join(', ');
    // Each message that no queue takes leads here.
    if (queues !== this.missing.join(', ') && queues !== '')
      this.bus.logger.error(
        { err: missing[0]?.error, queues },
        'queues of notifications are missing and can not be made; what goes to them waits',
      );
    this.missing = names;
  }

  /** A queue was deleted under us: whoever sends the message again finds it restored. */
  private async declareAgain(model: ChannelModel): Promise<void> {
    if (this.isDeclaring) return;
    this.isDeclaring = true;
    try {
      await this.declare(model);
    } catch (error) {
      this.connection.fail(error);
    } finally {
      this.isDeclaring = false;
    }
  }
}
