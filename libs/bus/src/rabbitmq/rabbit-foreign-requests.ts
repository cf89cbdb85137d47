import { randomUUID } from 'node:crypto';
import { ServiceError } from '@glimpse/contracts';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { showConnected } from '../connection-gauge.js';
import type { ForeignBus, ForeignReply, ForeignRequest, ForeignRequests } from '../foreign-requests.js';
import { snapshotRequestsQueue } from '../topology.js';
import { atMost } from './at-most.js';
import { ConfirmedPublisher } from './confirmed-publisher.js';
import { declareTransientSnapshots, nameSnapshotRequests } from './declare.js';
import { DirectReplies, isDirectReply } from './direct-replies.js';
import { RabbitConnection } from './rabbit-connection.js';
import { RabbitForeignRequest } from './rabbit-foreign-request.js';
import { findOn, makeOn } from './topology-channel.js';
import { TrustedUsers, userOf } from './trusted-users.js';

/** How long a stopping process waits for a broker that says nothing. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Takes requests with manual acknowledgements, and publishes replies on a channel that nothing else fails with. */
export class RabbitForeignRequests implements ForeignRequests {
  private readonly connection: RabbitConnection;
  private readonly user: string;
  private readonly trusted: TrustedUsers;
  private readonly directReplies: DirectReplies;
  private take: ((request: ForeignRequest) => void) | null = null;
  private requests: { readonly channel: ConfirmChannel; readonly tag: string } | null = null;
  private replies: { readonly channel: ConfirmChannel; readonly publisher: ConfirmedPublisher } | null = null;
  private isStopping = false;

  constructor(private readonly bus: ForeignBus) {
    this.user = userOf(bus.url);
    this.trusted = new TrustedUsers(this.user, bus.options.trustedUsers);
    this.directReplies = new DirectReplies(bus, this.user);
    showConnected(bus.service, 'snapshots', false);
    this.connection = new RabbitConnection(bus, 'snapshots', {
      setUp: (model) => this.setUp(model),
      up: () => showConnected(bus.service, 'snapshots', true),
      down: () => {
        showConnected(bus.service, 'snapshots', false);
        this.requests = null;
        this.replies = null;
      },
    });
  }

  open(take: (request: ForeignRequest) => void): void {
    this.take = take;
    this.connection.start();
  }

  isConnected(): boolean {
    return this.connection.isConnected;
  }

  reply({ exchange, routingKey, correlationId, type, body }: ForeignReply): Promise<boolean> {
    const content = Buffer.from(body);
    const options = {
      contentEncoding: 'utf-8',
      mandatory: true,
      messageId: randomUUID(),
      type,
      ...(correlationId === null ? {} : { correlationId }),
    };
    if (exchange === '' && isDirectReply(routingKey))
      return this.directReplies.send({ routingKey, body: content, options });
    if (this.replies === null)
      return Promise.reject(
        new ServiceError('BUS_UNAVAILABLE', 'There is no connection to the RabbitMQ of compute'),
      );
    return this.replies.publisher.offer(exchange, routingKey, content, options);
  }

  async stopConsuming(): Promise<void> {
    this.isStopping = true;
    if (this.requests === null) return;
    const { channel, tag } = this.requests;
    await atMost(ANSWER_TIMEOUT_MS, channel.cancel(tag));
  }

  async close(): Promise<void> {
    // Closing a channel waits until the broker has all that was written to it; closing a connection does not.
    const closed = [this.requests, this.replies].flatMap((end) =>
      end === null ? [] : [end.channel.close()],
    );
    await atMost(ANSWER_TIMEOUT_MS, Promise.allSettled([...closed, this.directReplies.close()]));
    await this.connection.close();
  }

  private async setUp(model: ChannelModel): Promise<void> {
    const replies = this.watch(await model.createConfirmChannel());
    this.replies = { channel: replies, publisher: new ConfirmedPublisher(replies, this.user) };
    if (!this.isStopping) await this.consume(this.watch(await model.createConfirmChannel()));
  }

  private async consume(channel: ConfirmChannel): Promise<void> {
    await nameSnapshotRequests(this.bus.options.declare ? makeOn(channel) : findOn(channel));
    if (this.bus.requests.hasTransientExchange) await declareTransientSnapshots(channel);
    await channel.prefetch(this.bus.requests.prefetch);
    const copies = new ConfirmedPublisher(channel, this.user);
    const { maxBodyBytes } = this.bus.requests;
    const fail = (error: unknown) => this.connection.fail(error);
    const place = { trusted: this.trusted, maxBodyBytes, fail };
    const { consumerTag: tag } = await channel.consume(snapshotRequestsQueue, (message) => {
      if (message === null) place.fail(new Error(`The queue ${snapshotRequestsQueue} was deleted`));
      else this.take?.(new RabbitForeignRequest(channel, copies, message, place));
    });
    this.requests = { channel, tag };
  }

  private watch(channel: ConfirmChannel): ConfirmChannel {
    channel.on('error', (error) => this.connection.fail(error));
    return channel;
  }
}
