import { ServiceError } from '@glimpse/contracts';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { BusOptions } from './bus-options.js';
import { showConnected } from './connection-gauge.js';
import { type NotificationPlaces, declareNotifications } from './rabbitmq/declare-notifications.js';
import { RabbitConnection } from './rabbitmq/rabbit-connection.js';

const CONFIRM_TIMEOUT_MS = 10_000;
/** Bounds what waits in buffers while the broker takes nothing. */
const MAX_UNCONFIRMED = 1_000;

/** As oslo.messaging publishes: these properties and no others. */
const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
} as const;

const unavailable = (message: string, cause?: unknown) =>
  new ServiceError('BUS_UNAVAILABLE', message, { cause });

/**
 * Publishes notifications as oslo.messaging does, on a connection of its own, which is made anew for ever: the RabbitMQ
 * of `bus.url` may be another one than that of the services.
 */
export class NotificationSender {
  private readonly connection: RabbitConnection;
  private channel: ConfirmChannel | null = null;
  private isBlocked = false;
  private isDeclaring = false;
  private unconfirmed = 0;
  /** The messages that no queue took; the broker returns a message before it confirms it. */
  private readonly returned = new Set<string>();

  constructor(
    bus: BusOptions,
    private readonly places: NotificationPlaces,
  ) {
    this.connection = new RabbitConnection(bus, 'notifications', {
      setUp: (model) => this.setUp(model),
      up: () => showConnected(bus.service, 'notifications', true),
      down: () => {
        this.channel = null;
        showConnected(bus.service, 'notifications', false);
      },
    });
    showConnected(bus.service, 'notifications', false);
    this.connection.start();
  }

  /**
   * Resolves when the broker has stored the message in a queue. Rejects with BUS_UNAVAILABLE otherwise, after a bounded
   * time; then it may or may not have been stored: send it again. No two messages may have the same body.
   */
  send(routingKey: string, body: string): Promise<void> {
    const { channel } = this;
    if (channel === null) return Promise.reject(unavailable('There is no connection to the message broker'));
    if (this.isBlocked || this.unconfirmed >= MAX_UNCONFIRMED)
      return Promise.reject(unavailable('The message broker takes no notifications at the moment'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unavailable('The message broker did not confirm in time')),
        CONFIRM_TIMEOUT_MS,
      );
      this.unconfirmed += 1;
      const confirmed = (error: unknown) => {
        clearTimeout(timer);
        this.unconfirmed -= 1;
        const wasReturned = this.returned.delete(body);
        if (error) reject(unavailable('The message broker did not take the notification', error));
        else if (wasReturned) reject(unavailable(`No queue takes ${routingKey}`));
        else resolve();
      };
      try {
        const options = { ...PROPERTIES, mandatory: true };
        channel.publish(this.places.exchange, routingKey, Buffer.from(body), options, confirmed);
      } catch (error) {
        confirmed(error);
      }
    });
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
    await declareNotifications(model, this.places);
    const channel = await model.createConfirmChannel();
    channel.on('error', (error) => this.connection.fail(error));
    channel.on('return', ({ content }) => {
      this.returned.add(content.toString());
      void this.declareAgain(model);
    });
    this.channel = channel;
  }

  /** A queue was deleted under us: whoever sends the message again finds it restored. */
  private async declareAgain(model: ChannelModel): Promise<void> {
    if (this.isDeclaring) return;
    this.isDeclaring = true;
    try {
      await declareNotifications(model, this.places);
    } catch (error) {
      this.connection.fail(error);
    } finally {
      this.isDeclaring = false;
    }
  }
}
