import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import { reportRefusal } from '../refused-messages.js';
import { eventsExchange, liveQueue } from '../topology.js';
import { envelopeText } from './cloud-event.js';
import type { TrustedUsers } from './trusted-users.js';
import { unlessClosed } from './unless-closed.js';

/** A listener that falls behind by more loses the oldest. */
const QUEUE_LENGTH = 1_000;
/** Older news is none. */
const MESSAGE_TTL_MS = 10_000;
/** After a failure that has not taken the connection with it. */
const REOPEN_AFTER_MS = 5_000;

/** Queues of this process so far: one whose end the broker has not noticed yet is not met again. */
let queues = 0;

export interface ListenerPlace {
  readonly bus: BusOptions;
  readonly trusted: TrustedUsers;
  readonly live: () => ChannelModel | null;
}

/**
 * Takes the events of one name from a queue of its own, on a channel of its own: a failure here touches nothing else.
 * What is sent while there is no connection is missed.
 */
export class RabbitListener {
  private channel: Channel | null = null;
  private isOpening = false;
  private isEnded = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly place: ListenerPlace,
    private readonly eventName: string,
    private readonly take: (body: string) => void,
  ) {}

  /** Begins to take events, where there is a connection and it does not do so already. */
  open(): void {
    const model = this.place.live();
    if (model === null || this.isEnded || this.isOpening || this.channel !== null) return;
    this.isOpening = true;
    void this.consume(model).finally(() => {
      this.isOpening = false;
      // The connection may have been replaced meanwhile.
      if (this.place.live() !== model) this.open();
    });
  }

  /** The connection is gone. */
  down(): void {
    this.channel = null;
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.close();
  }

  private async consume(model: ChannelModel): Promise<void> {
    let channel: Channel | undefined;
    try {
      const opened = await model.createChannel();
      channel = opened;
      opened.on('error', (error) => this.lose(opened, error));
      this.channel = opened;
      const { service, instanceId } = this.place.bus;
      const queue = liveQueue(service, instanceId, (queues += 1));
      await opened.assertQueue(queue, {
        exclusive: true,
        durable: false,
        autoDelete: true,
        maxLength: QUEUE_LENGTH,
        messageTtl: MESSAGE_TTL_MS,
      });
      await opened.bindQueue(queue, eventsExchange, this.eventName);
      await opened.consume(queue, (message) => this.receive(opened, message), { noAck: true });
      if (this.isEnded) this.close();
    } catch (error) {
      if (channel !== undefined) this.lose(channel, error);
    }
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.lose(channel, new Error('The queue was deleted'));
      return;
    }
    const refusal = this.place.trusted.refusalOf(message.properties);
    if (refusal === null) this.take(envelopeText(message.properties, message.content));
    else reportRefusal(this.place.bus.logger, 'event', refusal);
  }

  private lose(channel: Channel, error: unknown): void {
    if (this.channel !== channel) return;
    this.close();
    if (this.isEnded || this.place.live() === null) return;
    this.place.bus.logger.warn({ err: error, event: this.eventName }, 'live events can not be listened to');
    this.timer = setTimeout(() => this.open(), REOPEN_AFTER_MS).unref();
  }

  /** The queue goes with its consumer. */
  private close(): void {
    const { channel } = this;
    this.channel = null;
    if (channel !== null) unlessClosed(() => void channel.close().catch(() => undefined));
  }
}
