import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canBeFileName } from './cache-directory.js';
import { syncDirectory } from './sync-directory.js';

/** The images that were queued for the cache, as empty files in `queue/`: a restart forgets none. */
export class QueueDirectory {
  private readonly path: string;

  constructor(cacheDir: string) {
    this.path = join(resolve(cacheDir), 'queue');
  }

  /** Those that are there, in the order in which they came. */
  async load(): Promise<string[]> {
    await mkdir(this.path, { recursive: true });
    const names = (await readdir(this.path)).filter(canBeFileName);
    const queued = await Promise.all(
      names.map(async (name) => ({ name, since: (await stat(join(this.path, name))).mtimeMs })),
    );
    return queued.toSorted((a, b) => a.since - b.since).map(({ name }) => name);
  }

  /** Without effect for what cannot be the name of a file. */
  async add(imageId: string): Promise<void> {
    if (!canBeFileName(imageId)) return;
    await mkdir(this.path, { recursive: true });
    const file = await open(join(this.path, imageId), 'a');
    await file.close();
    await syncDirectory(this.path);
  }

  /** Without effect for what is not there, or cannot be: a name that leads elsewhere removes nothing. */
  async remove(imageId: string): Promise<void> {
    if (canBeFileName(imageId)) await rm(join(this.path, imageId), { force: true });
  }
}
