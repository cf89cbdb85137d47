import { ServiceError } from '@glimpse/contracts';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import { reportRefusal } from '../refused-messages.js';
import { callsExchange, eventsExchange, isSubscribed } from '../topology.js';
import {
  type ClientLink,
  type ClientListener,
  FIRST_CONNECT_WAIT_MS,
  type OutgoingEnvelope,
  type OutgoingEvent,
} from '../transport.js';
import { cloudEventProperties } from './cloud-event.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { nameShared } from './declare.js';
import { FirstConnection } from './first-connection.js';
import { RabbitConnection } from './rabbit-connection.js';
import { RabbitDeadLetters } from './rabbit-dead-letters.js';
import { RabbitListener } from './rabbit-listener.js';
import { findOn, makeOn } from './topology-channel.js';
import { TrustedUsers, userOf } from './trusted-users.js';
import { unlessClosed } from './unless-closed.js';

/** RabbitMQ hands messages to this pseudo-queue straight to the channel that asked. */
const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';
/** A live event that waited so long on the broker is no news. */
const LIVE_TTL_MS = 10_000;
/** Frames that may wait in a channel before it counts as full. */
const CHANNEL_BUFFER = { highWaterMark: 64 };

/** The sending end on RabbitMQ: a channel for calls and their answers, and one with confirms for events. */
export class RabbitClientLink implements ClientLink {
  readonly deadLetters: RabbitDeadLetters;
  private readonly connection: RabbitConnection;
  private readonly first = new FirstConnection(FIRST_CONNECT_WAIT_MS);
  private listener: ClientListener | null = null;
  private readonly liveListeners = new Set<RabbitListener>();
  private calls: Channel | null = null;
  private events: ConfirmedPublisher | null = null;
  private isBlocked = false;
  private isFull = false;
  private isDeclaring = false;
  private readonly user: string;
  private readonly trusted: TrustedUsers;

  constructor(private readonly bus: BusOptions) {
    this.user = userOf(bus.url);
    this.trusted = new TrustedUsers(this.user, bus.options.trustedUsers);
    this.connection = new RabbitConnection(bus, 'client', {
      setUp: (model) => this.setUp(model),
      up: () => {
        this.first.settle();
        this.listener?.connected();
        for (const listener of this.liveListeners) listener.open();
      },
      down: () => this.down(),
    });
    this.deadLetters = new RabbitDeadLetters(() => this.live(), this.user);
  }

  open(listener: ClientListener): void {
    this.listener = listener;
    this.connection.start();
  }

  isWritable(): boolean {
    return this.connection.isConnected && !this.isBlocked && !this.isFull;
  }

  send({ id, queue, body, expirationMs }: OutgoingEnvelope): void {
    if (this.calls === null) throw new Error('There is no connection to the message broker');
    this.isFull = !this.calls.publish(callsExchange, queue, Buffer.from(body), {
      contentType: 'application/json',
      expiration: expirationMs,
      mandatory: true,
      messageId: id,
      replyTo: DIRECT_REPLY_TO,
      userId: this.user,
    });
  }

  async publish({ data, ...event }: OutgoingEvent): Promise<void> {
    await this.live();
    if (this.events === null || this.isBlocked)
      throw new ServiceError('BUS_UNAVAILABLE', 'The message broker takes no events at the moment');
    await this.events.publish(eventsExchange, event.name, Buffer.from(data), {
      ...cloudEventProperties(event, this.bus.options.eventSource),
      mandatory: isSubscribed(event.name),
    });
  }

  announce({ data, ...event }: OutgoingEvent): void {
    const { calls } = this;
    if (calls === null || !this.isWritable()) return;
    unlessClosed(() => {
      this.isFull = !calls.publish(eventsExchange, event.name, Buffer.from(data), {
        ...cloudEventProperties(event, this.bus.options.eventSource),
        expiration: LIVE_TTL_MS,
        userId: this.user,
      });
    });
  }

  listen(eventName: string, take: (body: string) => void): () => void {
    const place = { bus: this.bus, trusted: this.trusted, live: () => this.connection.live };
    const listener = new RabbitListener(place, eventName, take);
    this.liveListeners.add(listener);
    listener.open();
    return () => {
      this.liveListeners.delete(listener);
      listener.end();
    };
  }

  async close(): Promise<void> {
    this.first.settle();
    await this.connection.close();
  }

  private async setUp(model: ChannelModel): Promise<void> {
    this.isBlocked = false;
    this.isFull = false;
    model.on('blocked', () => {
      this.isBlocked = true;
    });
    model.on('unblocked', () => {
      this.isBlocked = false;
      this.listener?.writable();
    });
    const events = await model.createConfirmChannel();
    events.on('error', (error) => this.connection.fail(error));
    await this.name(events);
    events.on('return', () => void this.declareAgain(events));
    const calls = await model.createChannel(CHANNEL_BUFFER);
    calls.on('error', (error) => this.connection.fail(error));
    calls.on('return', (message) => this.listener?.unroutable(String(message.properties.messageId)));
    calls.on('drain', () => {
      this.isFull = false;
      this.listener?.writable();
    });
    await calls.consume(DIRECT_REPLY_TO, (message) => this.takeAnswer(message), { noAck: true });
    this.calls = calls;
    this.events = new ConfirmedPublisher(events, this.user);
  }

  private takeAnswer(message: ConsumeMessage | null): void {
    if (message === null) {
      this.connection.fail(new Error('The broker gives no more answers'));
      return;
    }
    const refusal = this.trusted.refusalOf(message.properties);
    if (refusal === null) this.listener?.answered(message.content.toString());
    else reportRefusal(this.bus.logger, 'answer', refusal);
  }

  /** A queue was deleted under us: whoever publishes the event again finds it restored. */
  private async declareAgain(events: ConfirmChannel): Promise<void> {
    if (this.isDeclaring) return;
    this.isDeclaring = true;
    try {
      await this.name(events);
    } catch (error) {
      this.connection.fail(error);
    } finally {
      this.isDeclaring = false;
    }
  }

  private name(channel: Channel): Promise<void> {
    return nameShared(this.bus.options.declare ? makeOn(channel) : findOn(channel));
  }

  private down(): void {
    this.calls = null;
    this.events = null;
    for (const listener of this.liveListeners) listener.down();
    this.listener?.disconnected();
  }

  private async live(): Promise<ChannelModel> {
    await this.first.wait();
    const { live } = this.connection;
    if (live === null)
      throw new ServiceError('BUS_UNAVAILABLE', 'The connection to the message broker is down');
    return live;
  }
}
