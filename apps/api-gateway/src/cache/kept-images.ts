import type { Logger } from '@glimpse/observability';
import type { CacheDirectory } from './cache-directory.js';
import { CacheIndex } from './cache-index.js';
import { countEvictions, showCacheSize } from './cache-metrics.js';
import type { Copy } from './cache-reader.js';
import type { CachedImage, WantedImage } from './cached-image.js';
import { SharedFile } from './shared-file.js';

/** What was counted since is lost when the process is killed. */
const SAVE_EVERY_MS = 10_000;

/** The images that are whole in the cache, on disk and in memory. */
export class KeptImages {
  readonly index: CacheIndex;
  /** Whose record on disk is behind. */
  private readonly unsaved = new Set<string>();
  private readonly saveTimer: NodeJS.Timeout;

  constructor(
    private readonly directory: CacheDirectory,
    maxBytes: number,
    private readonly logger: Logger,
  ) {
    this.index = new CacheIndex(maxBytes);
    this.saveTimer = setInterval(() => void this.save(), SAVE_EVERY_MS);
    this.saveTimer.unref();
  }

  /** Reads what an earlier process left, within the bound. */
  async load(): Promise<void> {
    for (const image of await this.directory.load()) this.index.put(image);
    await this.prune();
  }

  /** Opens the image where it is there and the same; another one under its id is removed. */
  async open({ imageId, identity }: WantedImage): Promise<Copy | undefined> {
    const image = this.index.find(imageId);
    if (image === undefined) return undefined;
    const handle = image.identity === identity ? await this.directory.open(image) : undefined;
    if (handle === undefined) {
      if (this.index.find(imageId) === image) await this.remove(imageId);
      return undefined;
    }
    if (this.index.touch(imageId, Date.now()) !== undefined) this.unsaved.add(imageId);
    const file = new SharedFile(handle);
    return {
      reach: () => Promise.resolve(image.size),
      read: (position, length) => file.read(position, length),
      leave: () => file.letGo(),
      onBroken: (error) => {
        this.logger.warn({ err: error, imageId }, 'a cached image cannot be read and is removed');
        void this.remove(imageId);
      },
    };
  }

  /** An image that was published; more may have been counted since its record was written. */
  add(image: CachedImage): void {
    this.index.put(image);
    this.unsaved.add(image.imageId);
    this.show();
  }

  async remove(imageId: string): Promise<boolean> {
    const isThere = this.index.remove(imageId) !== undefined;
    if (isThere) await this.removeFiles([imageId]);
    return isThere;
  }

  /** Makes room for what a fill is about to write. */
  async grow(bytes: number): Promise<void> {
    await this.evicted(this.index.grow(bytes));
  }

  /** Removes what was used least recently, until `bytes` are free or nothing is left. */
  async evict(bytes: number): Promise<void> {
    await this.evicted(this.index.evict(bytes));
  }

  /** Removes what is beyond the bound. */
  async prune(): Promise<{ files: number; bytes: number }> {
    const pruned = this.index.prune();
    await this.evicted(pruned);
    return { files: pruned.length, bytes: pruned.reduce((sum, { size }) => sum + size, 0) };
  }

  /** Writes down what was counted since. */
  async save(): Promise<void> {
    const imageIds = [...this.unsaved];
    this.unsaved.clear();
    for (const imageId of imageIds)
      try {
        await this.directory.updateRecord(imageId, () => this.index.find(imageId));
      } catch (error) {
        this.logger.warn({ err: error, imageId }, 'the use of a cached image cannot be recorded');
      }
  }

  show(): void {
    showCacheSize(this.index);
  }

  async close(): Promise<void> {
    clearInterval(this.saveTimer);
    await this.save();
  }

  private async evicted(images: readonly CachedImage[]): Promise<void> {
    if (images.length > 0) {
      countEvictions(images.length);
      this.logger.info({ images: images.map(({ imageId }) => imageId) }, 'images leave the cache for others');
    }
    await this.removeFiles(images.map(({ imageId }) => imageId));
  }

  private async removeFiles(imageIds: readonly string[]): Promise<void> {
    this.show();
    for (const imageId of imageIds) await this.directory.remove(imageId);
  }
}
