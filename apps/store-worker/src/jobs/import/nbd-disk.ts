import { createHash } from 'node:crypto';
import {
  BASE_ALLOCATION,
  type DiskPiece,
  type DiskRange,
  type NbdClient,
  NbdError,
  dirtyBitmapContext,
} from '@glimpse/nbd';
import type { Logger } from '@glimpse/observability';
import { failed } from './failed.js';
import { type NbdPlace, toNbdFailure } from './nbd-place.js';
import { resumePause } from './resume-pause.js';

/** What is read of a disk. */
export interface DiskSelection {
  readonly connections: number;
  /** The dirty bitmap that names what is read; null for all of the disk. */
  readonly bitmap: string | null;
}

export interface DiskOptions {
  /** Failures in a row, without a byte between them, that are borne, at the beginning and later. */
  readonly maxResumes: number;
  readonly signal: AbortSignal;
  readonly logger: Pick<Logger, 'warn'>;
}

/** What reading a disk took. */
export interface DiskReadings {
  /** Bytes of the disk that the server sent. */
  readonly dataBytes: number;
  /** Bytes that came over the wire. */
  readonly bytesReceived: number;
  /** How often the server went away and was found again. */
  readonly resumes: number;
}

/** Waits for a server that is away, and reads on where it stopped when it is back, as long as it is the same disk. */
export class NbdDisk {
  private readonly closing = new AbortController();
  private readonly signal: AbortSignal;
  private readonly past = { dataBytes: 0, bytesReceived: 0, resumes: 0 };
  private readonly size: number;

  /** Codes: REQUEST_INVALID, and TRANSFER_ABORTED where there is no such export or bitmap, or no server for too long. */
  static async open(place: NbdPlace, selection: DiskSelection, options: DiskOptions): Promise<NbdDisk> {
    const { signal } = options;
    for (let failures = 0; ; failures++) {
      try {
        if (failures > 0) await resumePause(failures - 1, signal);
        const { client, fingerprint } = await look(place, selection, signal);
        return new NbdDisk(place, selection, options, client, fingerprint);
      } catch (error) {
        signal.throwIfAborted();
        bear(error, failures, options);
        options.logger.warn({ err: error }, 'a disk is not there to be read, looking for it again');
      }
    }
  }

  private constructor(
    private readonly place: NbdPlace,
    private readonly selection: DiskSelection,
    private readonly options: DiskOptions,
    private client: NbdClient,
    private readonly fingerprint: string,
  ) {
    this.size = client.size;
    this.signal = AbortSignal.any([options.signal, this.closing.signal]);
  }

  /** Bytes of the disk. */
  get sizeBytes(): number {
    return this.size;
  }

  /** What it took so far. */
  get readings(): DiskReadings {
    const { dataBytes, bytesReceived } = this.client.stats;
    return {
      dataBytes: this.past.dataBytes + dataBytes,
      bytesReceived: this.past.bytesReceived + bytesReceived,
      resumes: this.past.resumes,
    };
  }

  /**
   * What was selected, in order; with a bitmap also all that lies from `parentSize` on, where it says nothing of the parent. Throws
   * TRANSFER_ABORTED where the server is gone for good, or shows another disk.
   */
  async *pieces(parentSize = 0): AsyncGenerator<DiskPiece> {
    const { signal } = this;
    let from = 0;
    for (let failures = 0; ; failures++) {
      try {
        if (failures > 0) await this.reconnect(failures - 1);
        const ranges = rangesFrom(this.client, this.selection, { from, parentSize, signal });
        for await (const piece of this.client.readStream({ from, ranges, signal })) {
          yield piece;
          from = piece.offset + piece.length;
          failures = 0;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        bear(error, failures, this.options);
        this.options.logger.warn(
          { err: error, from },
          'a disk went away while it was read, looking for it again',
        );
      }
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.closing.abort(failed('The disk is not read any more'));
    await this.client.close();
  }

  private async reconnect(attempt: number): Promise<void> {
    await resumePause(attempt, this.signal);
    const before = this.client;
    const { client, fingerprint } = await look(this.place, this.selection, this.signal);
    if (fingerprint !== this.fingerprint) {
      await client.close();
      throw failed('The NBD server went away, and shows another disk since it is back');
    }
    this.past.dataBytes += before.stats.dataBytes;
    this.past.bytesReceived += before.stats.bytesReceived;
    this.past.resumes += 1;
    this.client = client;
    await before.close();
  }
}

/** Throws what cannot pass, or was there too often in a row. */
function bear(error: unknown, failures: number, { maxResumes }: DiskOptions): void {
  const mayPass = error instanceof NbdError && error.isRetryable;
  if (!mayPass || failures >= maxResumes) throw toNbdFailure(error);
}

/** Connects, and looks at what there is. */
async function look(
  place: NbdPlace,
  selection: DiskSelection,
  signal: AbortSignal,
): Promise<{ client: NbdClient; fingerprint: string }> {
  const client = await connect(place, selection, signal);
  try {
    return { client, fingerprint: await fingerprintOf(client, selection, signal) };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function connect(
  place: NbdPlace,
  { connections, bitmap }: DiskSelection,
  signal: AbortSignal,
): Promise<NbdClient> {
  const changes = bitmap === null ? [] : [dirtyBitmapContext(bitmap)];
  const client = await place.connect({ connections, contexts: [BASE_ALLOCATION, ...changes], signal });
  if (changes.every((context) => client.contexts.includes(context))) return client;
  await client.close();
  throw failed('The NBD server does not export the dirty bitmap: the disk needs a full snapshot');
}

/** What a disk has in common with itself: more than its size and what is dirty of it NBD does not tell. */
async function fingerprintOf(
  client: NbdClient,
  { bitmap }: DiskSelection,
  signal: AbortSignal,
): Promise<string> {
  if (bitmap === null) return `${client.size}`;
  const hash = createHash('sha256');
  for await (const { offset, length } of client.dirtyRanges(bitmap, {}, { signal }))
    hash.update(`${offset}+${length};`);
  return `${client.size} ${hash.digest('hex')}`;
}

/** The ranges to read from an offset on. */
async function* rangesFrom(
  client: NbdClient,
  { bitmap }: DiskSelection,
  { from, parentSize, signal }: { from: number; parentSize: number; signal: AbortSignal },
): AsyncGenerator<DiskRange> {
  if (bitmap !== null && from < parentSize)
    yield* client.dirtyRanges(bitmap, { offset: from, length: parentSize - from }, { signal });
  const tail = Math.max(from, parentSize);
  if (tail < client.size) yield { offset: tail, length: client.size - tail };
}
