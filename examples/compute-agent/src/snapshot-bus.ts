import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { AgentError, textOf } from './agent-error.js';
import {
  type SnapshotProgress,
  type SnapshotReply,
  type SnapshotRequest,
  cancellationOf,
} from './messages.js';

const EXCHANGE = 'glimpse.snapshots';
const EVENTS = 'glimpse.events';
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** How long a broker that says nothing is waited for, at the beginning and at the end. */
const CONNECT_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2_000;

interface Message {
  readonly request_id: string;
  readonly project_id?: string | undefined;
  readonly auth?: unknown;
}

/** The connection ended before there was an answer, which may still come to another one. */
class ConnectionLostError extends Error {}

/** Requests to Glimpse by RabbitMQ. */
export class SnapshotBus {
  constructor(
    private readonly url: string,
    private readonly log: (text: string) => void,
  ) {}

  /**
   * Sends the request and resolves with what became of it in the end. It is sent again, by a new connection, when the
   * one before was lost: the same request makes no second image. Rejects when `signal` aborts.
   */
  async request(request: SnapshotRequest, signal: AbortSignal): Promise<SnapshotReply> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await this.exchange(request, signal, isFirst);
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        this.log(`${error.message}; asking again in ${pauseMs / 1_000} s`);
      }
      await delay(pauseMs, undefined, { signal });
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  /** Ends the snapshot; resolves with what became of it, which may be that it was there before. */
  cancel(request: SnapshotRequest, signal: AbortSignal): Promise<SnapshotReply> {
    return this.exchange(cancellationOf(request), signal, true);
  }

  private async exchange(message: Message, signal: AbortSignal, isFirst: boolean): Promise<SnapshotReply> {
    const model = await this.connect(isFirst, signal);
    try {
      const lost = rejectionOf(model, signal);
      const work = async () => {
        await this.follow(model, message);
        return await this.ask(await model.createConfirmChannel(), message);
      };
      return await Promise.race([work(), lost]);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await close(model);
    }
  }

  /** A broker that takes connections and says nothing must not keep anybody from ending: the guest may be standing still. */
  private async connect(isFirst: boolean, signal: AbortSignal): Promise<ChannelModel> {
    signal.throwIfAborted();
    const ended = new AbortController();
    const connecting = connect(this.url, { timeout: CONNECT_TIMEOUT_MS }).then((model) => {
      model.on('error', () => undefined);
      return model;
    });
    const aborted = once(signal, 'abort', { signal: ended.signal }).then(() => {
      void connecting.then(close, () => undefined);
      throw signal.reason as Error;
    });
    try {
      return await Promise.race([connecting, aborted]);
    } catch (error) {
      signal.throwIfAborted();
      const text = `RabbitMQ can't be reached: ${textOf(error)}`;
      throw isFirst ? new AgentError('refused', text) : new ConnectionLostError(text);
    } finally {
      ended.abort();
    }
  }

  /** Says how far it has come, where this RabbitMQ has the events of Glimpse and lets us read them. */
  private async follow(model: ChannelModel, message: Message): Promise<void> {
    try {
      const channel = await model.createChannel();
      channel.on('error', () => undefined);
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
      await channel.bindQueue(queue, EVENTS, 'snapshot.progress');
      const take = (delivery: ConsumeMessage | null) => {
        const progress = JSON.parse(delivery?.content.toString() ?? '{}') as Partial<SnapshotProgress>;
        const isOurs = (message.project_id ?? progress.project_id) === progress.project_id;
        if (progress.request_id === message.request_id && isOurs) this.log(describeProgress(progress));
      };
      await channel.consume(queue, take, { noAck: true });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  private async ask(channel: ConfirmChannel, message: Message): Promise<SnapshotReply> {
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
    const refused = new Promise<never>((_, reject) => {
      channel.on('error', (error) => reject(new AgentError('refused', `RabbitMQ refused: ${textOf(error)}`)));
      channel.on('return', () =>
        reject(
          new AgentError('refused', `No Glimpse takes requests from ${EXCHANGE}: nothing was asked for`),
        ),
      );
    });
    const answered = this.replyIn(channel, queue);
    const published = this.publish(channel, queue, message);
    const [reply] = await Promise.race([Promise.all([answered, published]), refused]);
    return reply;
  }

  /** The reply that says how it ended. */
  private replyIn(channel: ConfirmChannel, queue: string): Promise<SnapshotReply> {
    return new Promise((resolve, reject) => {
      const take = (delivery: ConsumeMessage | null) => {
        if (delivery === null) return;
        const reply = JSON.parse(delivery.content.toString()) as SnapshotReply;
        if (reply.status === 'accepted') this.log(`Accepted: image ${reply.image_id}, task ${reply.task_id}`);
        else resolve(reply);
      };
      channel.consume(queue, take, { noAck: true }).catch(reject);
    });
  }

  private async publish(channel: ConfirmChannel, replyTo: string, message: Message): Promise<void> {
    channel.publish(EXCHANGE, 'snapshot', Buffer.from(JSON.stringify(message)), {
      mandatory: true,
      persistent: true,
      contentType: 'application/json',
      correlationId: message.request_id,
      replyTo,
      // RabbitMQ checks it, so Glimpse may believe what a trusted publisher says of projects and users.
      ...(message.auth === undefined ? { userId: userOf(this.url) } : {}),
    });
    await channel.waitForConfirms();
  }
}

/** Whether RabbitMQ has said no (404 not found, 403 not allowed), and has not just gone. */
const isRefusal = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 403 || error.code === 404);

const inMiB = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;

function describeProgress({ phase, bytes_done, bytes_total, bytes_per_second }: Partial<SnapshotProgress>) {
  const total = bytes_total == null ? '' : ` of ${inMiB(bytes_total)}`;
  const rate = bytes_per_second == null ? '' : `, ${inMiB(bytes_per_second)}/s`;
  return `${phase}: ${inMiB(bytes_done ?? 0)}${total}${rate}`;
}

const userOf = (url: string) => decodeURIComponent(new URL(url).username) || 'guest';

/** Resolves within bounded time, whatever the broker does. */
async function close(model: ChannelModel): Promise<void> {
  const patience = new AbortController();
  const closed = model.close().catch(() => undefined);
  await Promise.race([
    closed,
    delay(CLOSE_TIMEOUT_MS, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
}

/** Rejects when the connection ends, or `signal` aborts. */
function rejectionOf(model: ChannelModel, signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    model.on('close', () => reject(new ConnectionLostError('The connection to RabbitMQ was lost')));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  // It may come before anybody waits for it.
  rejection.catch(() => undefined);
  return rejection;
}
