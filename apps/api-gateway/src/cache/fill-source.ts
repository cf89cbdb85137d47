import type { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import { freeChunk } from '@glimpse/pipeline';
import type { ByteRange } from '@glimpse/stores';

export interface OpenOptions {
  /** Left out for all of it. */
  readonly range?: ByteRange;
  /** 0 for the first; where a source broke off the next attempt begins with another place. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** Opens the data of an image in its stores. Rejects where none of them gives its first byte. */
export type OpenSource = (options: OpenOptions) => Promise<Readable>;

/** Bytes that were gathered are written as soon as there are this many. */
const GATHER_BYTES = 1_048_576;

/** A failure of the cache's own disk: the image can still be had from its store. */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure';
}

/** The store holds another thing than the image. */
export const tooMuchData = () =>
  new ServiceError('TRANSFER_ABORTED', 'The store has more data than the image');
const tooLittleData = () => new ServiceError('STORE_UNAVAILABLE', 'The store has less data than the image');

/** Aborts its signal when `beat` was not called for `stallTimeMs`. */
class StallWatch {
  private readonly stalled = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(stallTimeMs: number) {
    this.timer = setTimeout(() => {
      this.stalled.abort(new ServiceError('STORE_UNAVAILABLE', 'The store sends nothing any more'));
    }, stallTimeMs);
    this.timer.unref();
  }

  get signal(): AbortSignal {
    return this.stalled.signal;
  }

  beat(): void {
    this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

export interface CopyOptions {
  readonly openSource: OpenSource;
  readonly attempt: number;
  /** Where to go on. */
  readonly start: number;
  readonly size: number;
  readonly stallTimeMs: number;
  readonly signal: AbortSignal;
  /** Takes chunks that follow each other; their memory is free when it resolves. */
  readonly write: (chunks: Buffer[], bytes: number) => Promise<void>;
}

/**
 * Hands an image's bytes from `start` to its end to `write`, in pieces as large as they come. Resolves when the source
 * has ended just there; a source that ends early, has more or sends nothing rejects with what is wrong.
 */
export async function copySource(options: CopyOptions): Promise<void> {
  const watch = new StallWatch(options.stallTimeMs);
  const signal = AbortSignal.any([options.signal, watch.signal]);
  const { start, size, attempt } = options;
  const range = start === 0 ? {} : { range: { start, end: size - 1 } };
  try {
    const stream = await options.openSource({ attempt, signal, ...range });
    const end = () => stream.destroy();
    signal.addEventListener('abort', end);
    try {
      await copyStream(stream, options, watch);
    } finally {
      signal.removeEventListener('abort', end);
      stream.destroy();
    }
  } catch (error) {
    throw signal.aborted && !(error instanceof DiskFailure) ? signal.reason : error;
  } finally {
    watch.stop();
  }
}

async function copyStream(stream: Readable, options: CopyOptions, watch: StallWatch): Promise<void> {
  let position = options.start;
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  const flush = async () => {
    const [chunks, bytes] = [gathered, gatheredBytes];
    [gathered, gatheredBytes] = [[], 0];
    if (bytes > 0) await options.write(chunks, bytes);
    for (const chunk of chunks) freeChunk(chunk);
    watch.beat();
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    position += chunk.length;
    if (position > options.size) throw tooMuchData();
    gathered.push(chunk);
    gatheredBytes += chunk.length;
    // What the source has ready goes along: a slow source is passed on at once, a fast one in large pieces.
    if (gatheredBytes >= GATHER_BYTES || stream.readableLength === 0) await flush();
  }
  await flush();
  if (position < options.size) throw tooLittleData();
}
