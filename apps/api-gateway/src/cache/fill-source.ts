/// <reference lib="es2024.promise" />
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

/** Aborts its signal when the source was waited for longer than `stallTimeMs`. */
class StallWatch {
  private readonly stalled = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly stallTimeMs: number) {
    this.start();
  }

  get signal(): AbortSignal {
    return this.stalled.signal;
  }

  /** It is the source's turn. */
  start(): void {
    this.timer = setTimeout(() => {
      this.stalled.abort(new ServiceError('STORE_UNAVAILABLE', 'The store sends nothing any more'));
    }, this.stallTimeMs);
    this.timer.unref();
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
  const { start, size } = options;
  const range = start === 0 ? {} : { range: { start, end: size - 1 } };
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  aborted.promise.catch(() => undefined);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    // Whether or not the source heeds the signal.
    await Promise.race([copyStream({ ...options, signal }, watch, range), aborted.promise]);
  } catch (error) {
    throw signal.aborted && !(error instanceof DiskFailure) ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
    watch.stop();
  }
}

async function copyStream(
  { openSource, attempt, start, size, signal, write }: CopyOptions,
  watch: StallWatch,
  range: { range?: ByteRange },
): Promise<void> {
  const stream = await openSource({ attempt, signal, ...range });
  const end = () => stream.destroy();
  signal.addEventListener('abort', end);
  let position = start;
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  const flush = async () => {
    signal.throwIfAborted();
    const [chunks, bytes] = [gathered, gatheredBytes];
    [gathered, gatheredBytes] = [[], 0];
    watch.stop();
    if (bytes > 0) await write(chunks, bytes);
    for (const chunk of chunks) freeChunk(chunk);
    watch.start();
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      position += chunk.length;
      if (position > size) throw tooMuchData();
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      // What the source has ready goes along: a slow source is passed on at once, a fast one in large pieces.
      if (gatheredBytes >= GATHER_BYTES || stream.readableLength === 0) await flush();
    }
    await flush();
    if (position < size) throw tooLittleData();
  } finally {
    signal.removeEventListener('abort', end);
    stream.destroy();
  }
}
