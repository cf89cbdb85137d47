/// <reference lib="es2024.promise" />
import type { FileHandle } from 'node:fs/promises';
import { ServiceError, isServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { writeFully } from '@glimpse/stores';
import type { FillOutcome } from './cache-metrics.js';
import type { Copy } from './cache-reader.js';
import type { WantedImage } from './cached-image.js';
import type { DigestThread, FileDigest } from './digest-thread.js';
import { DiskFailure, type OpenSource, copySource } from './fill-source.js';
import { SharedFile } from './shared-file.js';

/** Attempts to read an image whose sources break off one after the other. */
const MOST_ATTEMPTS = 5;
/** Nobody waits any more: what is at least half done is finished, since it will be asked for again. */
const WORTH_FINISHING = 0.5;

export interface FillOptions {
  readonly wanted: WantedImage;
  readonly openSource: OpenSource;
  readonly stallTimeMs: number;
  readonly path: string;
  readonly digests: DigestThread;
  readonly logger: Logger;
  /** Makes the file, where there is room for it. */
  readonly create: () => Promise<FileHandle>;
  /** Makes room for so many bytes more. */
  readonly makeRoom: (bytes: number) => Promise<void>;
  /** Gives the durable, verified file its name. From then on it is read there. */
  readonly publish: () => Promise<void>;
}

const discarded = () => new ServiceError('TRANSFER_ABORTED', 'The cache has given the image up');

/**
 * An image on its way into the cache: a file that grows at the pace of its store, and is read by any number of readers
 * at theirs. One ends in `run`: what it could not keep, its readers get elsewhere.
 */
export class Fill {
  readonly wanted: WantedImage;
  /** Readers that came while it was under way, beside the first. */
  joins = 0;
  private file: SharedFile | undefined;
  private written = 0;
  /** What readers may have. The end is held back until the source has confirmed that it is the end. */
  private available = 0;
  private end:
    { readonly kind: 'filled' | 'lost' } | { readonly kind: 'failed'; readonly error: unknown } | undefined;
  private moved = Promise.withResolvers<void>();
  private users = 0;
  private hasRun = false;
  private isUnwanted = false;
  private readonly givenUp = new AbortController();

  constructor(private readonly options: FillOptions) {
    this.wanted = options.wanted;
  }

  get availableBytes(): number {
    return this.available;
  }

  get writtenBytes(): number {
    return this.written;
  }

  /** Whether a reader that comes now can be served. */
  get isJoinable(): boolean {
    if (this.hasRun || this.isUnwanted || this.givenUp.signal.aborted) return false;
    return this.end === undefined || this.end.kind === 'filled';
  }

  /** Whether it may be kept. */
  get isWanted(): boolean {
    return !this.isUnwanted;
  }

  /** Counts somebody who wants the image; `leave` when that is over. */
  join(): void {
    this.users += 1;
  }

  leave(): void {
    this.users -= 1;
    const isWorthIt = this.written >= this.wanted.size * WORTH_FINISHING;
    if (this.users === 0 && this.end === undefined && !isWorthIt) this.giveUp(discarded());
    this.closeUnused();
  }

  /** Stops the fill; readers go on with the store. */
  giveUp(reason: Error): void {
    this.givenUp.abort(reason);
  }

  /** Whoever reads it may go on; it is not kept. */
  discard(): void {
    this.isUnwanted = true;
  }

  private closeUnused(): void {
    if (!this.hasRun || this.users > 0) return;
    this.file?.letGo();
    this.file = undefined;
  }

  /** How many bytes are there, as soon as the one at `position` is; undefined where it will never be. Rejects where the source failed. */
  private async reach(position: number): Promise<number | undefined> {
    for (;;) {
      if (position < this.available) return this.available;
      if (this.end?.kind === 'failed') throw this.end.error;
      if (this.end !== undefined) return undefined;
      await this.moved.promise;
    }
  }

  private async read(position: number, length: number): Promise<Buffer> {
    if (this.file === undefined) throw new Error('The file is not open');
    return this.file.read(position, length);
  }

  /** Lets somebody read along; the file stays open until they have left. */
  openCopy(): Copy {
    this.join();
    return {
      reach: (position) => this.reach(position),
      read: (position, length) => this.read(position, length),
      leave: () => this.leave(),
      onBroken: (error) => {
        const { imageId } = this.wanted;
        this.options.logger.warn(
          { err: error, imageId },
          'an image cannot be read as it comes into the cache',
        );
      },
    };
  }

  /** Fetches the image, verifies it and publishes it; says what became of it. Never rejects. */
  async run(): Promise<FillOutcome> {
    const { imageId } = this.wanted;
    try {
      return await this.fetch();
    } catch (error) {
      if (this.givenUp.signal.aborted) {
        this.settle({ kind: 'lost' });
        return 'given-up';
      }
      if (error instanceof DiskFailure) {
        this.options.logger.warn(
          { err: error, imageId },
          'the cache cannot keep an image: its disk fails or is full',
        );
        this.settle({ kind: 'lost' });
        return 'disk-failed';
      }
      this.options.logger.warn({ err: error, imageId }, 'an image cannot be fetched into the cache');
      this.settle({ kind: 'failed', error });
      return 'source-failed';
    } finally {
      this.hasRun = true;
      this.closeUnused();
    }
  }

  private async fetch(): Promise<FillOutcome> {
    const { wanted, digests, path } = this.options;
    const handle = await onDisk(this.options.create);
    this.file = new SharedFile(handle);
    const digest = wanted.hash === null ? undefined : digests.begin(path, wanted.hash.algorithm);
    try {
      await this.copyAll(handle, digest);
      this.available = wanted.size;
      this.settle({ kind: 'filled' });
      return await this.keep(handle, digest);
    } finally {
      digest?.drop();
    }
  }

  /** Everything that can be waited for is over for the readers: only the cache is concerned from here. */
  private async keep(handle: FileHandle, digest: FileDigest | undefined): Promise<FillOutcome> {
    const { wanted, logger, publish } = this.options;
    await onDisk(() => handle.datasync());
    if (digest !== undefined && (await digest.finish()) !== wanted.hash?.value) {
      logger.error(
        { imageId: wanted.imageId },
        'the data of an image does not have its hash; it is not cached',
      );
      return 'mismatch';
    }
    if (this.isUnwanted) return 'unwanted';
    await onDisk(() => publish());
    return 'kept';
  }

  private async copyAll(handle: FileHandle, digest: FileDigest | undefined): Promise<void> {
    const { openSource, stallTimeMs, wanted, logger } = this.options;
    for (let attempt = 0; ; attempt += 1) {
      let hasOpened = false;
      try {
        await copySource({
          openSource: async (options) => {
            const stream = await openSource(options);
            hasOpened = true;
            return stream;
          },
          attempt,
          start: this.written,
          size: wanted.size,
          stallTimeMs,
          signal: this.givenUp.signal,
          write: (chunks, bytes) => this.write(handle, chunks, bytes, digest),
        });
        return;
      } catch (error) {
        if (this.written === wanted.size && !isServiceError(error, 'TRANSFER_ABORTED')) return;
        if (!hasOpened || !this.mayGoOn(error, attempt)) throw error;
        logger.warn(
          { err: error, imageId: wanted.imageId, position: this.written },
          'a store broke off; going on',
        );
      }
    }
  }

  /** After a source that had begun; one that could not be opened has tried every place. */
  private mayGoOn(error: unknown, attempt: number): boolean {
    if (this.givenUp.signal.aborted || error instanceof DiskFailure) return false;
    // A store that holds something else than the image will not get better.
    return attempt + 1 < MOST_ATTEMPTS && !isServiceError(error, 'TRANSFER_ABORTED');
  }

  private async write(
    handle: FileHandle,
    chunks: Buffer[],
    bytes: number,
    digest: FileDigest | undefined,
  ): Promise<void> {
    await onDisk(async () => {
      this.written += bytes;
      await this.options.makeRoom(bytes);
      await writeFully(handle, chunks, this.written - bytes);
    });
    digest?.advance(this.written);
    if (this.written < this.wanted.size) this.available = this.written;
    this.wake();
  }

  private settle(end: NonNullable<typeof this.end>): void {
    this.end ??= end;
    this.wake();
  }

  private wake(): void {
    const { resolve } = this.moved;
    this.moved = Promise.withResolvers();
    resolve();
  }
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new DiskFailure('The disk of the cache fails', { cause: error });
  }
}
