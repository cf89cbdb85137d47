import type { LookupFunction } from 'node:net';
import { ByteWindow } from './byte-window.js';
import { ConnectionPool } from './connection-pool.js';
import type { NbdTimeouts } from './connection/nbd-connection.js';
import type { NbdTlsOptions } from './connection/transport.js';
import { type DiskRange, checkRange, endOf } from './disk-range.js';
import type { BlockSizes } from './handshake/export-info.js';
import { joined } from './joined.js';
import { BASE_ALLOCATION, IS_DIRTY, dirtyBitmapContext } from './metadata-contexts.js';
import { NbdError, violation } from './nbd-error.js';
import { type NbdAddress, parseNbdUri } from './nbd-uri.js';
import type { Extent } from './replies/status-reply.js';
import { type DiskPiece, type ReadStreamOptions, readInOrder } from './read-stream.js';

export interface NbdClientOptions {
  /** Gives the connecting up; what happens afterwards has signals of its own. */
  readonly signal?: AbortSignal | undefined;
  /** Defaults: 10 s to connect, 60 s without a byte, 300 s for a request. */
  readonly timeouts?: Partial<NbdTimeouts>;
  readonly tls?: NbdTlsOptions;
  /** As many as the server lets see the same data; default 1. */
  readonly connections?: number;
  /** Metadata contexts to ask for; by default {@link BASE_ALLOCATION}. Those the server lacks are left out of `contexts`. */
  readonly contexts?: readonly string[];
  /** Bytes that may be asked for and not yet there, over all connections; default 16 MiB. */
  readonly maxInFlightBytes?: number;
  /** Resolves the names of hosts. Errors of its own, that are not the system's, pass through unchanged. */
  readonly lookup?: LookupFunction;
}

/** What a client has done so far. */
export interface NbdStats {
  /** Over the wire since the handshakes, headers included. */
  readonly bytesReceived: number;
  /** Data of the disk that was sent. */
  readonly dataBytes: number;
  readonly requests: number;
  readonly connections: number;
}

const TIMEOUTS: NbdTimeouts = { connectMs: 10_000, idleMs: 60_000, requestMs: 300_000 };
const MAX_IN_FLIGHT_BYTES = 16_777_216;
/** The longest `read`: it has all in memory. */
const MAX_READ_BYTES = 67_108_864;
const MAX_CONNECTIONS = 64;
/** A question that any server can answer soon. */
const STATUS_BYTES = 1_073_741_824;

/**
 * Reads an export of an NBD server. It never writes. Every method rejects with an {@link NbdError}, with the reason of its
 * signal, or with a `RangeError` for arguments off the disk. After an error that ended a connection all further calls reject
 * with it: connect again, and read on from where it stopped. Whoever connects closes.
 */
export class NbdClient {
  private readonly window: ByteWindow;
  private dataBytes = 0;

  /** Opens the export that `uri` names (or an address from {@link parseNbdUri}). */
  static async connect(uri: string | NbdAddress, options: NbdClientOptions = {}): Promise<NbdClient> {
    const address = typeof uri === 'string' ? parseNbdUri(uri) : uri;
    const { connections = 1, tls = {}, contexts = [BASE_ALLOCATION], lookup, signal } = options;
    if (!Number.isInteger(connections) || connections < 1 || connections > MAX_CONNECTIONS)
      throw new RangeError(`connections must be between 1 and ${MAX_CONNECTIONS}`);
    if (address.tls?.verifyPeer === false && tls.allowUnverified !== true)
      throw new NbdError('NBD_URI_INVALID', 'The NBD URI has tls-verify-peer=0, which is not allowed here');
    const timeouts = { ...TIMEOUTS, ...options.timeouts };
    const pool = await ConnectionPool.open(address, connections, { timeouts, tls, contexts, lookup, signal });
    return new NbdClient(pool, options.maxInFlightBytes ?? MAX_IN_FLIGHT_BYTES);
  }

  private constructor(
    private readonly pool: ConnectionPool,
    maxInFlightBytes: number,
  ) {
    this.window = new ByteWindow(maxInFlightBytes);
  }

  /** Of the export, in bytes. */
  get size(): number {
    return this.pool.first.agreement.info.size;
  }

  get isReadOnly(): boolean {
    return this.pool.first.agreement.info.isReadOnly;
  }

  /** What the server wants requests to be like; reads may begin and end anywhere, the client sees to it. */
  get blockSizes(): BlockSizes {
    return this.pool.first.agreement.info.blockSizes;
  }

  /** Those of the contexts asked for that the server has. */
  get contexts(): readonly string[] {
    return [...this.pool.first.agreement.contexts.ids.keys()];
  }

  get stats(): NbdStats {
    return { ...this.pool.traffic, dataBytes: this.dataBytes, connections: this.pool.size };
  }

  /** Reads `length` bytes, 64 MiB at most; the buffer is the caller's. */
  async read(offset: number, length: number, { signal }: { signal?: AbortSignal } = {}): Promise<Buffer> {
    return (await this.readPiece({ offset, length }, signal)).data;
  }

  /**
   * What `context` says of the disk from `offset` on: at least one extent, and as many of `length` bytes as the server told
   * in one answer. Rejects with `NBD_UNSUPPORTED` where the server does not have the context.
   */
  async blockStatus(
    offset: number,
    length: number,
    context: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<readonly Extent[]> {
    checkRange({ offset, length }, this.size);
    const id = this.contextId(context);
    if (length === 0) return [];
    const { minimum } = this.blockSizes;
    const start = offset - (offset % minimum);
    const end = Math.min(this.size, roundUp(Math.min(offset + length, start + STATUS_BYTES), minimum));
    const reply = await withSignal(signal, () => this.pool.idlest.blockStatus(start, end - start));
    return clip(reply.extentsOf(id), { offset, length });
  }

  /** All that `context` says of a range (by default of the whole disk), in order; neighbours with the same flags are one. */
  async *extents(
    context: string,
    range: Partial<DiskRange> = {},
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Extent, void, undefined> {
    const { offset = 0, length = this.size - offset } = range;
    checkRange({ offset, length }, this.size);
    yield* joined(this.answers(context, { offset, length }, signal), (one, next) => one.flags === next.flags);
  }

  /** The parts of a range (by default of the whole disk) that a dirty bitmap names, in order. */
  async *dirtyRanges(
    bitmap: string,
    range: Partial<DiskRange> = {},
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<DiskRange, void, undefined> {
    for await (const { offset, length, flags } of this.extents(dirtyBitmapContext(bitmap), range, options))
      if ((flags & IS_DIRTY) !== 0) yield { offset, length };
  }

  /**
   * Reads the disk, or some `ranges` of it, in order, ahead of who takes the pieces. What reads as zeroes, as far as the server
   * tells, comes as pieces without data that may be long. After an error, all pieces before the failed one have been delivered.
   */
  readStream(options: ReadStreamOptions = {}): AsyncGenerator<DiskPiece, void, undefined> {
    return readInOrder(
      {
        size: this.size,
        blockSizes: this.blockSizes,
        hasAllocation: this.contexts.includes(BASE_ALLOCATION),
        allocation: (range, signal) => this.extents(BASE_ALLOCATION, range, { signal }),
        read: (range, signal) => this.readPiece(range, signal),
      },
      options,
    );
  }

  /** Takes leave of the server. What is awaited rejects with `NBD_CLOSED`. Closing twice is fine. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private async readPiece(
    range: DiskRange,
    signal?: AbortSignal,
  ): Promise<{ data: Buffer; isHole: boolean }> {
    checkRange(range, this.size);
    if (range.length > MAX_READ_BYTES) throw new RangeError(`a read of more than ${MAX_READ_BYTES} bytes`);
    const { minimum } = this.blockSizes;
    const start = range.offset - (range.offset % minimum);
    const end = Math.min(this.size, roundUp(endOf(range), minimum));
    const target = Buffer.allocUnsafeSlow(end - start);
    const sent = await withSignal(signal, () => this.fill(start, target, signal));
    const data = target.subarray(range.offset - start, endOf(range) - start);
    return { data, isHole: sent === 0 };
  }

  private async fill(start: number, target: Buffer, signal: AbortSignal | undefined): Promise<number> {
    const longest = Math.min(this.blockSizes.maximum, MAX_READ_BYTES);
    const parts: Promise<number>[] = [];
    for (let at = 0; at < target.length; at += longest) {
      const part = target.subarray(at, at + longest);
      parts.push(
        this.window.run(part.length, () => {
          signal?.throwIfAborted();
          return this.pool.idlest.read(start + at, part);
        }),
      );
    }
    const sent = (await Promise.all(parts)).reduce((sum, bytes) => sum + bytes, 0);
    this.dataBytes += sent;
    return sent;
  }

  private async *answers(context: string, range: DiskRange, signal?: AbortSignal): AsyncGenerator<Extent> {
    const end = endOf(range);
    for (let at = range.offset; at < end;) {
      const extents = await this.blockStatus(at, end - at, context, { signal });
      const last = extents.at(-1);
      if (last === undefined) throw violation('the status of no blocks');
      yield* extents;
      at = endOf(last);
    }
  }

  private contextId(context: string): number {
    const { contexts } = this.pool.first.agreement;
    const id = contexts.ids.get(context);
    if (id !== undefined) return id;
    const offered = contexts.offered.map((name) => `"${name}"`).join(', ');
    const message = `The NBD server does not tell "${context}" of this export; it tells ${offered || 'nothing'}`;
    throw new NbdError('NBD_UNSUPPORTED', message);
  }
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

function clip(extents: readonly Extent[], range: DiskRange): Extent[] {
  const clipped: Extent[] = [];
  for (const extent of extents) {
    const offset = Math.max(extent.offset, range.offset);
    const length = Math.min(endOf(extent), endOf(range)) - offset;
    if (length > 0) clipped.push({ offset, length, flags: extent.flags });
  }
  return clipped;
}

/** Does the work, but answers to the signal at once. */
async function withSignal<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    // Whoever aborts decides what the error is.
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
