import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import type { BusOptions } from '../bus-options.js';
import type { ConnectionEnd } from '../connection-gauge.js';
import { atMost } from './at-most.js';
import { backOffMs } from './back-off.js';
import { bearAnyHeaders } from './bear-any-headers.js';
import { tlsOptions } from './tls-options.js';

const CONNECT_TIMEOUT_MS = 10_000;
const SET_UP_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A peer that is silent for two of these is gone. */
const HEARTBEAT_SECONDS = 10;

export interface ConnectionHooks {
  /** Makes channels, declares, consumes. The connection counts as up when it resolves. */
  setUp(model: ChannelModel): Promise<void>;
  up(): void;
  /** The connection and all channels of `setUp` are gone. */
  down(): void;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.href;
}

/** A refused virtual host comes as the close of a connection that was never open. */
function explainRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('Expected ConnectionOpenOk')) return error;
  const message = 'The virtual host does not exist, or the user has no rights in it';
  return new Error(message, { cause: error });
}

/** Connects once. Rejects with the reason when that fails, after a bounded time. */
export async function connectTo(bus: BusOptions, end: string): Promise<ChannelModel> {
  try {
    const model = await connect(withHeartbeat(bus.url), {
      ...tlsOptions(bus),
      noDelay: true,
      keepAlive: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: `${bus.instanceId} ${end}` },
    });
    bearAnyHeaders(model);
    return model;
  } catch (error) {
    throw explainRefusal(error);
  }
}

/** Resolves with the reason when the connection has ended. */
function endOf(model: ChannelModel): Promise<Error> {
  let reason: Error | undefined;
  model.on('error', (error) => {
    reason ??= error;
  });
  return new Promise((resolve) => {
    model.on('close', (error) => resolve(error ?? reason ?? new Error('The connection was closed')));
  });
}

/**
 * A connection that is made anew whenever it is lost, with back-off and jitter, for ever. A channel that fails takes the
 * connection with it: there is one way back from any failure, and it is the one that is used most.
 */
export class RabbitConnection {
  private model: ChannelModel | null = null;
  private isUp = false;
  private readonly stop = new AbortController();

  constructor(
    private readonly bus: BusOptions,
    private readonly end: ConnectionEnd,
    private readonly hooks: ConnectionHooks,
  ) {}

  start(): void {
    void this.run();
  }

  get isConnected(): boolean {
    return this.isUp;
  }

  /** The live connection, for a further channel. */
  get live(): ChannelModel | null {
    return this.isUp ? this.model : null;
  }

  /** Something is wrong that only a new connection mends. */
  fail(error: unknown): void {
    if (this.model === null || this.stop.signal.aborted) return;
    this.bus.logger.warn({ err: error, end: this.end }, 'giving up a connection to the message broker');
    void this.disconnect(this.model);
  }

  async close(): Promise<void> {
    this.stop.abort();
    if (this.model !== null) await this.disconnect(this.model);
  }

  private async run(): Promise<void> {
    let attempt = 0;
    while (!this.stop.signal.aborted) {
      attempt += 1;
      const reason = await this.session(() => {
        attempt = 0;
      });
      if (this.stop.signal.aborted) return;
      const delayMs = backOffMs(attempt);
      this.bus.logger.warn({ err: reason, end: this.end, delayMs }, 'no connection to the message broker');
      await sleep(delayMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
    }
  }

  /** One connection from its beginning to its end; answers with the reason of the end. */
  private async session(onUp: () => void): Promise<unknown> {
    let model: ChannelModel;
    try {
      model = await connectTo(this.bus, this.end);
    } catch (error) {
      return error;
    }
    // From here on no end of the connection may go unnoticed, not even one in the middle of the set-up.
    const ended = endOf(model);
    this.model = model;
    try {
      const early = ended.then((reason) => Promise.reject(reason));
      const late = sleep(SET_UP_TIMEOUT_MS, undefined, { ref: false }).then(() =>
        Promise.reject(new Error('The message broker did not answer the declarations')),
      );
      await Promise.race([this.hooks.setUp(model), early, late]);
      if (!this.stop.signal.aborted) {
        onUp();
        this.comeUp();
      }
      return this.stop.signal.aborted ? null : await ended;
    } catch (error) {
      return error;
    } finally {
      await this.goDown(model);
    }
  }

  private comeUp(): void {
    this.isUp = true;
    this.bus.logger.info({ end: this.end }, 'connected to the message broker');
    this.hooks.up();
  }

  private async goDown(model: ChannelModel): Promise<void> {
    this.model = null;
    if (this.isUp) {
      this.isUp = false;
      this.hooks.down();
    }
    await this.disconnect(model);
  }

  /** Never rejects: a connection that can't say goodbye is gone as well. */
  private disconnect(model: ChannelModel): Promise<void> {
    return atMost(CLOSE_TIMEOUT_MS, model.close());
  }
}
