import type { LookupFunction } from 'node:net';
import { type Agreement, shakeHands } from '../handshake/handshake.js';
import { HandshakeBuffer } from '../handshake/handshake-buffer.js';
import { NbdError, violation } from '../nbd-error.js';
import { type NbdAddress, describeEndpoint } from '../nbd-uri.js';
import { commands, encodeRequest } from '../protocol.js';
import { ReadReply } from '../replies/read-reply.js';
import { type Reply, ReplyParser } from '../replies/reply-parser.js';
import { StatusReply } from '../replies/status-reply.js';
import { type ByteSink, type NbdTlsOptions, Transport } from './transport.js';

/** How long to wait, in milliseconds. */
export interface NbdTimeouts {
  /** From the first packet to the end of the handshake. */
  readonly connectMs: number;
  /** Without a single byte while something is awaited. */
  readonly idleMs: number;
  /** For the whole reply to one request. */
  readonly requestMs: number;
}

export interface ConnectionOptions {
  readonly contexts: readonly string[];
  readonly timeouts: NbdTimeouts;
  readonly tls: NbdTlsOptions;
  readonly lookup?: LookupFunction | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly reply: Reply;
  readonly bytes: number;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const CHECKS_PER_TIMEOUT = 4;

/** One connection, after its handshake: requests go out as they come, replies come in any order. */
export class NbdConnection implements ByteSink {
  private readonly pending = new Map<number, Pending>();
  private readonly parser: ReplyParser;
  private readonly watchdog: NodeJS.Timeout;
  private failure: Error | null = null;
  private lastCookie = 0;
  private lastByteAt = 0;
  private received = 0;
  private asked = 0;
  private awaitedBytes = 0;

  /** Connects and agrees on everything. Rejects with an `NbdError`, or the reason of the signal. */
  static async open(address: NbdAddress, options: ConnectionOptions): Promise<NbdConnection> {
    options.signal?.throwIfAborted();
    const buffer = new HandshakeBuffer();
    const transport = new Transport(address, buffer, options.lookup);
    const onAbort = () => transport.fail(abortReason(options.signal));
    const timer = setTimeout(
      () => transport.fail(connectTimeout(address, options)),
      options.timeouts.connectMs,
    );
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await transport.connected();
      const agreement = await shakeHands(transport, buffer, address, options);
      if (buffer.hasMore) throw violation('bytes that were not asked for after the handshake');
      return new NbdConnection(transport, agreement, options.timeouts);
    } catch (error) {
      transport.fail(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  private constructor(
    private readonly transport: Transport,
    readonly agreement: Agreement,
    private readonly timeouts: NbdTimeouts,
  ) {
    this.parser = new ReplyParser(
      {
        find: (cookie) => this.pending.get(cookie)?.reply,
        settle: (cookie, error) => this.settle(cookie, error),
      },
      agreement.hasStructuredReplies,
    );
    const shortest = Math.min(timeouts.idleMs, timeouts.requestMs);
    this.watchdog = setInterval(() => this.checkTime(), Math.max(1, shortest / CHECKS_PER_TIMEOUT));
    this.watchdog.unref();
    transport.deliverTo(this);
  }

  /** Bytes that requests on the way will bring. */
  get inFlightBytes(): number {
    return this.awaitedBytes;
  }

  /** What came over the wire since the handshake, and how many requests went out. */
  get traffic(): { readonly bytesReceived: number; readonly requests: number } {
    return { bytesReceived: this.received, requests: this.asked };
  }

  /** Fills `target` from the disk; resolves with how many of its bytes were sent rather than named as a hole. */
  async read(offset: number, target: Buffer): Promise<number> {
    const reply = new ReadReply(offset, target);
    await this.request(commands.read, offset, target.length, reply, target.length);
    return reply.dataBytes;
  }

  /** Asks for the status of blocks in all contexts. */
  async blockStatus(offset: number, length: number): Promise<StatusReply> {
    const reply = new StatusReply(offset, length, new Set(this.agreement.contexts.ids.values()));
    await this.request(commands.blockStatus, offset, length, reply, 0);
    return reply;
  }

  /** Says good-bye. What is awaited rejects with `NBD_CLOSED`. */
  async close(): Promise<void> {
    await this.transport.close(encodeRequest(commands.disconnect, 0, 0, 0));
  }

  receive(chunk: Buffer): void {
    this.lastByteAt = performance.now();
    this.received += chunk.length;
    this.parser.push(chunk);
  }

  failed(error: Error): void {
    this.failure = error;
    clearInterval(this.watchdog);
    const awaiting = [...this.pending.values()];
    this.pending.clear();
    this.awaitedBytes = 0;
    for (const { reject } of awaiting) reject(error);
  }

  private request(
    command: number,
    offset: number,
    length: number,
    reply: Reply,
    bytes: number,
  ): Promise<void> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const now = performance.now();
    if (this.pending.size === 0) this.lastByteAt = now;
    const cookie = ++this.lastCookie;
    this.asked++;
    this.awaitedBytes += bytes;
    return new Promise((resolve, reject) => {
      this.pending.set(cookie, { reply, bytes, since: now, resolve, reject });
      this.transport.write(encodeRequest(command, cookie, offset, length));
    });
  }

  private settle(cookie: number, error: NbdError | null): void {
    const settled = this.pending.get(cookie);
    if (settled === undefined) return;
    this.pending.delete(cookie);
    this.awaitedBytes -= settled.bytes;
    if (error === null) settled.resolve();
    else settled.reject(error);
  }

  private checkTime(): void {
    // In the order of asking: the first is the oldest.
    const [oldest] = this.pending.values();
    if (oldest === undefined) return;
    const now = performance.now();
    const { idleMs, requestMs } = this.timeouts;
    if (now - this.lastByteAt >= idleMs)
      this.transport.fail(new NbdError('NBD_TIMEOUT', `The NBD server sent nothing for ${idleMs} ms`));
    else if (now - oldest.since >= requestMs)
      this.transport.fail(
        new NbdError('NBD_TIMEOUT', `The NBD server took more than ${requestMs} ms for a request`),
      );
  }
}

function connectTimeout({ endpoint }: NbdAddress, { timeouts }: ConnectionOptions): NbdError {
  const message = `The NBD server ${describeEndpoint(endpoint)} did not open the export within ${timeouts.connectMs} ms`;
  return new NbdError('NBD_TIMEOUT', message);
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('Aborted', { cause: reason });
}
