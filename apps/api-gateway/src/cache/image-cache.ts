import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ByteRange } from '@glimpse/stores';
import { CacheDirectory } from './cache-directory.js';
import { type CacheOutcome, type FillOutcome, countCacheRequest } from './cache-metrics.js';
import { CacheReader, type Copy, type OpenRest } from './cache-reader.js';
import type { CachedImage, WantedImage } from './cached-image.js';
import { DirectoryLock } from './directory-lock.js';
import type { Fill } from './fill.js';
import type { OpenSource } from './fill-source.js';
import { Fills, type FillsOptions } from './fills.js';
import { KeptImages } from './kept-images.js';

/** Downloads wait for the same disk. */
const REMOVED_AT_ONCE = 16;

export interface ImageCacheOptions extends FillsOptions {
  readonly dir: string;
  readonly maxBytes: number;
}

export interface CacheRequest {
  readonly wanted: WantedImage;
  /** A part of the image; left out for the whole. */
  readonly range?: ByteRange;
  /** Whether the image is brought into the cache where it is not there. */
  readonly mayFill: boolean;
  /** For the cache, which may go on reading when the one who asked has gone. */
  readonly openSource: OpenSource;
  /** For the one who asked, where the cache fails. */
  readonly openRest: OpenRest;
  /** Hears whether the image was there. */
  readonly onOutcome?: (outcome: CacheOutcome) => void;
}

/** What became of an image that was asked for; `no-room`: what is under way has to end first. */
export type FetchOutcome = FillOutcome | 'there' | 'bypass' | 'no-room';

interface Found {
  readonly stream: Readable | undefined;
  readonly outcome: CacheOutcome;
}

/** Images on the gateway's own disk: one reader brings an image from its store, and all read what is there of it. */
export class ImageCache {
  private constructor(
    private readonly directory: CacheDirectory,
    private readonly kept: KeptImages,
    private readonly fills: Fills,
    private readonly lock: DirectoryLock,
  ) {}

  /** Opens the cache with the images that are whole. Rejects where the directory can't be used; who opens it closes it. */
  static async open({ dir, maxBytes, ...options }: ImageCacheOptions): Promise<ImageCache> {
    const path = resolve(dir);
    const directory = new CacheDirectory(path);
    await directory.make();
    const lock = await DirectoryLock.take(path);
    const kept = new KeptImages(directory, maxBytes, options.logger);
    try {
      await directory.removeIncomplete();
      await kept.load();
      return new ImageCache(directory, kept, new Fills(directory, kept, options), lock);
    } catch (error) {
      await kept.close();
      await lock.release();
      throw error;
    }
  }

  /** The bytes from the cache, or as they come into it; undefined where they are to be read from the store alone. */
  async read(request: CacheRequest): Promise<Readable | undefined> {
    const { stream, outcome } = await this.find(request);
    countCacheRequest(outcome);
    request.onOutcome?.(outcome);
    return stream;
  }

  /** Fetches an image that is not there, and resolves with what became of it when that is over. */
  async fetch(wanted: WantedImage, openSource: OpenSource): Promise<FetchOutcome> {
    const copy = await this.kept.open(wanted);
    copy?.leave();
    if (copy !== undefined) return 'there';
    const running = this.fills.find(wanted.imageId) ?? this.fills.begin(wanted, openSource);
    if (running === undefined) return this.fills.canKeep(wanted) ? 'no-room' : 'bypass';
    running.fill.join();
    try {
      return await running.outcome;
    } finally {
      running.fill.leave();
    }
  }

  /** Least recently used first. */
  list(): CachedImage[] {
    return this.kept.index.list();
  }

  has(imageId: string): boolean {
    return this.kept.index.find(imageId) !== undefined;
  }

  /** Removes an image. Whoever reads it goes on. */
  remove(imageId: string): Promise<boolean> {
    this.fills.discard(imageId);
    return this.kept.remove(imageId);
  }

  /** Removes every image; gives their number. */
  async clear(): Promise<number> {
    this.fills.discardAll();
    const images = this.list();
    let count = 0;
    for (let at = 0; at < images.length; at += REMOVED_AT_ONCE) {
      const some = images.slice(at, at + REMOVED_AT_ONCE);
      const removed = await Promise.all(some.map(({ imageId }) => this.kept.remove(imageId)));
      count += removed.filter(Boolean).length;
    }
    return count;
  }

  /** Removes what is beyond the bound. */
  prune(): Promise<{ files: number; bytes: number }> {
    return this.kept.prune();
  }

  /**
   * Removes files that belong to nothing, makes directories that somebody removed, and gives images whose data was wrong
   * another chance.
   */
  async clean(): Promise<void> {
    this.fills.forgetRefused();
    await this.directory.make();
    await this.directory.removeStrays((id) => this.has(id) || this.fills.find(id) !== undefined);
  }

  /** Ends what is under way and saves what was counted. */
  async close(): Promise<void> {
    await this.fills.close();
    await this.kept.close();
    await this.lock.release();
  }

  private async find(request: CacheRequest): Promise<Found> {
    const { wanted, range, mayFill, openSource } = request;
    const copy = await this.kept.open(wanted);
    if (copy !== undefined) return { stream: this.reader(request, copy), outcome: 'hit' };

    const running = this.fills.find(wanted.imageId);
    if (running !== undefined) return this.share(request, running.fill);
    if (!mayFill) return { stream: undefined, outcome: 'bypass' };
    if (range !== undefined) return { stream: undefined, outcome: 'miss' };

    const begun = this.fills.begin(wanted, openSource);
    if (begun === undefined) return { stream: undefined, outcome: 'bypass' };
    return { stream: this.reader(request, begun.fill.openCopy()), outcome: 'fill' };
  }

  private share(request: CacheRequest, fill: Fill): Found {
    const { wanted, range } = request;
    if (!fill.isJoinable || fill.wanted.identity !== wanted.identity)
      return { stream: undefined, outcome: 'bypass' };
    if (range !== undefined && range.end >= fill.availableBytes)
      return { stream: undefined, outcome: 'miss' };
    fill.joins += 1;
    return { stream: this.reader(request, fill.openCopy()), outcome: 'shared' };
  }

  private reader({ wanted, range, openRest }: CacheRequest, copy: Copy): Readable {
    return new CacheReader(copy, range ?? { start: 0, end: wanted.size - 1 }, openRest);
  }
}
