import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CachedImage } from './cached-image.js';
import { OneAtATime } from './one-at-a-time.js';
import { syncDirectory } from './sync-directory.js';

/** What may be the name of a file; image ids are. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const MAX_RECORD_BYTES = 8_192;
const READS_AT_ONCE = 16;

export const canBeFileName = (imageId: string): boolean => SAFE_NAME.test(imageId);

/**
 * The files of the cache: `images/<id>` holds data that is whole, `records/<id>` what is known of it, `incomplete/` what
 * is being written. A file of data without its record, of another size or in `incomplete/` is never served.
 */
export class CacheDirectory {
  private readonly images: string;
  private readonly records: string;
  private readonly incomplete: string;
  private readonly byImage = new OneAtATime();
  /** Names in `incomplete/` that are in use. */
  private readonly temporaries = new Set<string>();

  constructor(private readonly path: string) {
    this.images = join(path, 'images');
    this.records = join(path, 'records');
    this.incomplete = join(path, 'incomplete');
  }

  /** Makes the directories that are missing. */
  async make(): Promise<void> {
    for (const folder of [this.images, this.records, this.incomplete])
      await mkdir(folder, { recursive: true });
  }

  /** Removes what a process that died left half done. */
  async removeIncomplete(): Promise<void> {
    await this.removeExcept(this.incomplete, () => false);
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  /** Where something may be written until it is published. */
  temporaryPath(): string {
    const name = randomUUID();
    this.temporaries.add(name);
    return join(this.incomplete, name);
  }

  /** Every image that is whole, least recently used first. What does not fit together is removed. */
  async load(): Promise<CachedImage[]> {
    const found: CachedImage[] = [];
    let names: string[] = [];
    const loadNames = async () => {
      const images = await Promise.all(names.map((name) => this.loadOne(name)));
      found.push(...images.filter((image) => image !== undefined));
      names = [];
    };
    for await (const { name } of await opendir(this.images)) {
      names.push(name);
      if (names.length === READS_AT_ONCE) await loadNames();
    }
    await loadNames();
    const known = new Set(found.map(({ imageId }) => imageId));
    await this.removeExcept(this.records, (name) => known.has(name));
    return found.toSorted((a, b) => a.lastAccessed - b.lastAccessed);
  }

  /** Opens the data of an image; undefined where it is not there as it should be. */
  async open({ imageId, size }: CachedImage): Promise<FileHandle | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(join(this.images, imageId), 'r');
      if ((await handle.stat()).size === size) return handle;
    } catch {
      // It is read from its store, as what was never cached.
    }
    await handle?.close();
    return undefined;
  }

  /** Gives synced data its name. The record is durable before: whatever happens between, no data is without one. */
  publish(temporary: string, image: CachedImage): Promise<void> {
    const { imageId } = image;
    return this.byImage.run(imageId, async () => {
      await this.writeRecord(image, true);
      await syncDirectory(this.records);
      await rename(temporary, join(this.images, imageId));
      await syncDirectory(this.images);
    });
  }

  /** Rewrites the record of an image that is still wanted when its turn comes. */
  updateRecord(imageId: string, current: () => CachedImage | undefined): Promise<void> {
    return this.byImage.run(imageId, async () => {
      const image = current();
      if (image !== undefined) await this.writeRecord(image, false);
    });
  }

  remove(imageId: string): Promise<void> {
    return this.byImage.run(imageId, () => this.removeFiles(imageId));
  }

  /** Ends the use of a temporary path; what is still there is removed. */
  async discard(temporary: string): Promise<void> {
    this.temporaries.delete(basename(temporary));
    await rm(temporary, { force: true });
  }

  /** Removes everything that belongs neither to a known image nor to what is being written. */
  async removeStrays(isKnown: (imageId: string) => boolean): Promise<void> {
    await this.removeExcept(this.images, isKnown);
    await this.removeExcept(this.records, isKnown);
    await this.removeExcept(this.incomplete, (name) => this.temporaries.has(name));
  }

  private async loadOne(imageId: string): Promise<CachedImage | undefined> {
    const image = await this.readRecord(imageId);
    const file = await stat(join(this.images, imageId)).catch(() => undefined);
    if (image?.imageId === imageId && file?.isFile() === true && file.size === image.size) return image;
    await this.removeFiles(imageId);
    return undefined;
  }

  private async readRecord(imageId: string): Promise<CachedImage | undefined> {
    try {
      const path = join(this.records, imageId);
      if ((await stat(path)).size > MAX_RECORD_BYTES) return undefined;
      return CachedImage.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
    } catch {
      return undefined;
    }
  }

  private async writeRecord(image: CachedImage, isSynced: boolean): Promise<void> {
    const temporary = this.temporaryPath();
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(JSON.stringify(image));
        if (isSynced) await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(this.records, image.imageId));
    } finally {
      await this.discard(temporary);
    }
  }

  private async removeFiles(imageId: string): Promise<void> {
    await rm(join(this.images, imageId), { recursive: true, force: true });
    await rm(join(this.records, imageId), { recursive: true, force: true });
  }

  private async removeExcept(folder: string, isKept: (name: string) => boolean): Promise<void> {
    for await (const { name } of await opendir(folder))
      if (!isKept(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
