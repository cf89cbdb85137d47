import type { CachedImage } from './cached-image.js';

/** What is in the cache, and how much room there is. Nothing in here waits: every step is one for all others too. */
export class CacheIndex {
  /** Least recently used first. */
  private readonly images = new Map<string, CachedImage>();
  private kept = 0;
  /** Written by fills that are under way. */
  private fillingBytes = 0;
  /** What those fills will need. */
  private reservedBytes = 0;

  constructor(private readonly maxBytes: number) {}

  get bytes(): number {
    return this.kept + this.fillingBytes;
  }

  /** Of images that are whole. */
  get keptBytes(): number {
    return this.kept;
  }

  get count(): number {
    return this.images.size;
  }

  find(imageId: string): CachedImage | undefined {
    return this.images.get(imageId);
  }

  /** Least recently used first. */
  list(): CachedImage[] {
    return [...this.images.values()];
  }

  /** Adds or replaces an image as the one used last. */
  put(image: CachedImage): void {
    this.remove(image.imageId);
    this.images.set(image.imageId, image);
    this.kept += image.size;
  }

  /** Notes that an image was read; gives its new state. */
  touch(imageId: string, now: number): CachedImage | undefined {
    const image = this.images.get(imageId);
    if (image === undefined) return undefined;
    const touched = { ...image, hits: image.hits + 1, lastAccessed: now };
    this.images.delete(imageId);
    this.images.set(imageId, touched);
    return touched;
  }

  remove(imageId: string): CachedImage | undefined {
    const image = this.images.get(imageId);
    if (image === undefined) return undefined;
    this.images.delete(imageId);
    this.kept -= image.size;
    return image;
  }

  /** Whether an image of that size fits where there is no other. */
  canHold(size: number): boolean {
    return size <= this.maxBytes;
  }

  /** Promises room for an image. False where it will not fit, however many others go. */
  reserve(size: number): boolean {
    if (this.reservedBytes + size > this.maxBytes) return false;
    this.reservedBytes += size;
    return true;
  }

  /** Takes a part of what was reserved; the images that have to go for it are out of the index. */
  grow(bytes: number): CachedImage[] {
    this.fillingBytes += bytes;
    return this.evict(this.bytes - this.maxBytes);
  }

  /** Gives back what a fill reserved, of which it has written `written` bytes. */
  release(size: number, written: number): void {
    this.reservedBytes -= size;
    this.fillingBytes -= written;
  }

  /** Takes images out, least recently used first, until `bytes` are free or none is left. */
  evict(bytes: number): CachedImage[] {
    const evicted: CachedImage[] = [];
    let left = bytes;
    for (const image of this.images.values()) {
      if (left <= 0) break;
      evicted.push(image);
      left -= image.size;
    }
    for (const { imageId } of evicted) this.remove(imageId);
    return evicted;
  }

  /** What is beyond the bound, out of the index. */
  prune(): CachedImage[] {
    return this.evict(this.bytes - this.maxBytes);
  }
}
