import { type FileHandle, open } from 'node:fs/promises';
import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { type CacheDirectory, canBeFileName } from './cache-directory.js';
import { type FillOutcome, countFill, fillBegins, fillEnds } from './cache-metrics.js';
import type { WantedImage } from './cached-image.js';
import { DigestThread } from './digest-thread.js';
import { Fill } from './fill.js';
import type { OpenSource } from './fill-source.js';
import type { KeptImages } from './kept-images.js';

/** Of images whose data is not what it should be; they are read from their stores alone. */
const MOST_REFUSED = 1_000;

export interface FillsOptions {
  readonly stallTimeMs: number;
  readonly logger: Logger;
  /** Called with the id of an image whose data has another hash than it should. */
  readonly onMismatch: (imageId: string) => void;
}

/** A fill and what will have become of it. */
export interface RunningFill {
  readonly fill: Fill;
  readonly outcome: Promise<FillOutcome>;
}

/** The images that are being fetched into the cache, one fill for each. */
export class Fills {
  private readonly running = new Map<string, RunningFill>();
  private readonly refused = new Set<string>();
  private readonly digests = new DigestThread();
  private isClosed = false;

  constructor(
    private readonly directory: CacheDirectory,
    private readonly kept: KeptImages,
    private readonly options: FillsOptions,
  ) {}

  find(imageId: string): RunningFill | undefined {
    return this.running.get(imageId);
  }

  /** Whether the cache takes the image as soon as what is under way leaves room for it. */
  canKeep({ imageId, identity, size }: WantedImage): boolean {
    if (this.isClosed || !canBeFileName(imageId) || this.refused.has(identity)) return false;
    return size > 0 && this.kept.index.canHold(size);
  }

  /** Begins to fetch an image that is neither there nor under way; undefined where the cache can't take it. */
  begin(wanted: WantedImage, openSource: OpenSource): RunningFill | undefined {
    const { imageId, size } = wanted;
    if (!this.canKeep(wanted) || !this.kept.index.reserve(size)) return undefined;
    const path = this.directory.temporaryPath();
    const fill: Fill = new Fill({
      wanted,
      openSource,
      path,
      stallTimeMs: this.options.stallTimeMs,
      logger: this.options.logger,
      digests: this.digests,
      create: () => this.create(path, size),
      makeRoom: (bytes) => this.kept.grow(bytes),
      publish: () => this.publish(fill, path),
    });
    const running = { fill, outcome: this.carry(fill, path) };
    this.running.set(imageId, running);
    return running;
  }

  /** What is under way is not kept. */
  discard(imageId: string): void {
    this.running.get(imageId)?.fill.discard();
  }

  discardAll(): void {
    for (const { fill } of this.running.values()) fill.discard();
  }

  /** Gives images that were refused another chance. */
  forgetRefused(): void {
    this.refused.clear();
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.isClosed = true;
    const all = [...this.running.values()];
    for (const { fill } of all) fill.giveUp(new ServiceError('SERVICE_STOPPING', 'The service is stopping.'));
    await Promise.all(all.map(({ outcome }) => outcome));
    await this.digests.close();
  }

  private async carry(fill: Fill, path: string): Promise<FillOutcome> {
    fillBegins();
    const outcome = await fill.run();
    const { imageId, identity, size } = fill.wanted;
    if (outcome === 'mismatch') {
      this.refuse(identity);
      this.options.onMismatch(imageId);
    }
    // A fill that was kept has given its place to the image already.
    if (outcome !== 'kept') {
      this.kept.index.release(size, fill.writtenBytes);
      this.running.delete(imageId);
    }
    await this.directory.discard(path).catch((error: unknown) => {
      this.options.logger.warn({ err: error, imageId }, 'what is left of a fill cannot be removed');
    });
    this.kept.show();
    fillEnds();
    countFill(outcome);
    return outcome;
  }

  /** A disk with less room than the bound promises loses older images for newer ones, as one with enough does. */
  private async create(path: string, size: number): Promise<FileHandle> {
    const missing = size - (await this.directory.freeBytes());
    if (missing > this.kept.index.keptBytes)
      throw new Error('The disk of the cache has no room for the image');
    if (missing > 0) await this.kept.evict(missing);
    return open(path, 'wx+');
  }

  private async publish(fill: Fill, path: string): Promise<void> {
    const { imageId, identity, size, checksum } = fill.wanted;
    const now = Date.now();
    const image = {
      imageId,
      identity,
      size,
      checksum,
      hits: fill.joins,
      lastAccessed: now,
      lastModified: now,
    };
    await this.directory.publish(path, image);
    // In one step: a request finds the fill or the image.
    this.kept.index.release(size, fill.writtenBytes);
    this.running.delete(imageId);
    this.kept.add({ ...image, hits: fill.joins });
    if (!fill.isWanted) await this.kept.remove(imageId);
  }

  private refuse(identity: string): void {
    this.refused.add(identity);
    const [oldest] = this.refused;
    if (this.refused.size > MOST_REFUSED && oldest !== undefined) this.refused.delete(oldest);
  }
}
