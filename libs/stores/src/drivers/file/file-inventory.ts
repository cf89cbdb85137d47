import type { BigIntStats, Dirent } from 'node:fs';
import { link, lstat, mkdir, opendir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ServiceError } from '@glimpse/contracts';
import type { CallOptions } from '../../store-driver.js';
import type { SetAside, SetAsideEntry, StoreInventory, StoredEntry } from '../../store-inventory.js';
import { pathWithin, syncDirectory } from './data-directories.js';
import type { DataDirectory } from './file.options.js';
import { keyOfName } from './file-names.js';
import { errnoOf, toAccessError, toWriteError } from './fs-errors.js';
import { removeIfThere } from './temporary-file.js';

/** Beside the data, so that moving there is a rename; hidden, and no name that an image can have. */
const QUARANTINE = '.quarantine';
/** `<id>.<name>`: what is needed to put it back is in the name alone. */
const SET_ASIDE = /^(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?<name>.+)$/;
/** Files that are looked at at once. */
const STATS_AT_ONCE = 32;

/**
 * What tells a file from any other that takes its name: not the time of the last change of its inode, which giving it
 * another name sets too.
 */
const versionOf = ({ ino, size, mtimeNs }: BigIntStats): string => `${ino}-${size}-${mtimeNs}`;

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Regular files of a directory, a few at once; those that go in the meantime are left out. */
async function* filesOf(
  directory: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ name: string; stats: BigIntStats }> {
  signal?.throwIfAborted();
  const handle = await opendir(directory, { bufferSize: 4 * STATS_AT_ONCE });
  let batch: Dirent[] = [];
  for await (const entry of handle) {
    signal?.throwIfAborted();
    if (!entry.isFile()) continue;
    batch.push(entry);
    if (batch.length < STATS_AT_ONCE) continue;
    yield* statAll(directory, batch);
    batch = [];
  }
  yield* statAll(directory, batch);
}

async function* statAll(directory: string, entries: readonly Dirent[]) {
  const looked = await Promise.all(
    entries.map(async ({ name }) => ({ name, stats: await statIfThere(join(directory, name)) })),
  );
  for (const { name, stats } of looked) if (stats?.isFile() === true) yield { name, stats };
}

/** The files of a file store. What is set aside lies in a directory beside the data. */
export class FileInventory implements StoreInventory {
  constructor(private readonly directories: readonly DataDirectory[]) {}

  async *list({ signal }: CallOptions): AsyncGenerator<StoredEntry> {
    for (const { path } of this.directories)
      yield* orUnavailable(this.entriesOf(path, signal), 'Cannot list image data', signal);
  }

  private async *entriesOf(directory: string, signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    for await (const { name, stats } of filesOf(directory, signal))
      yield {
        name,
        ...keyOfName(name),
        location: { uri: `file://${join(directory, name)}` },
        size: Number(stats.size),
        modifiedAt: Number(stats.mtimeMs),
        version: versionOf(stats),
      };
  }

  async *listSetAside({ signal }: CallOptions): AsyncGenerator<SetAsideEntry> {
    for (const { path } of this.directories)
      yield* orUnavailable(this.setAsideOf(path, signal), 'Cannot list what was set aside', signal);
  }

  private async *setAsideOf(directory: string, signal: AbortSignal | undefined) {
    const aside = join(directory, QUARANTINE);
    if ((await statIfThere(aside)) === undefined) return;
    for await (const { name, stats } of filesOf(aside, signal)) {
      const { id, name: origin } = SET_ASIDE.exec(name)?.groups ?? {};
      if (id !== undefined && origin !== undefined)
        yield toSetAside(directory, id, origin, Number(stats.size));
    }
  }

  async setAside(entry: StoredEntry, id: string, { signal }: CallOptions): Promise<SetAside> {
    const path = this.pathOf(entry.location.uri);
    const aside = toSetAside(dirname(path), id, entry.name, entry.size);
    try {
      const target = this.pathOf(aside.location.uri);
      signal?.throwIfAborted();
      const found = await statIfThere(path);
      if (found === undefined) return { outcome: 'gone' };
      if (versionOf(found) !== entry.version) return { outcome: 'changed' };
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target);
      // Nothing moves a file only if it is the one that was looked at: this process may have stood still in between.
      const moved = await statIfThere(target);
      if (moved !== undefined && versionOf(moved) !== entry.version) {
        await this.moveBack(target, path);
        return { outcome: 'changed' };
      }
      await syncDirectory(dirname(target));
      await syncDirectory(dirname(path));
      return { outcome: 'set-aside', entry: aside };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return { outcome: 'gone' };
      throw toWriteError(error, 'Cannot set image data aside');
    }
  }

  async putBack(entry: SetAsideEntry, { signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    try {
      await this.moveBack(this.pathOf(entry.location.uri), this.pathOf(entry.origin.uri));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT')
        throw new ServiceError('STORE_OBJECT_NOT_FOUND', 'Nothing is set aside as that any more', {
          cause: error,
        });
      throw toWriteError(error, 'Cannot put image data back');
    }
  }

  async discard({ location }: SetAsideEntry, { signal }: CallOptions): Promise<void> {
    const path = this.pathOf(location.uri);
    signal?.throwIfAborted();
    try {
      await removeIfThere(path);
      await syncDirectory(dirname(path));
    } catch (error) {
      throw toAccessError(error, 'Cannot remove what was set aside');
    }
  }

  /** A link, since that never replaces. Where the process died between the link and the removal both names are one file. */
  private async moveBack(from: string, to: string): Promise<void> {
    try {
      await link(from, to);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || !(await isSameFile(from, to))) throw error;
    }
    await syncDirectory(dirname(to));
    await unlink(from);
    await syncDirectory(dirname(from));
  }

  private pathOf(uri: string): string {
    const path = pathWithin(this.directories, uri);
    if (path === undefined)
      throw new ServiceError('STORE_LOCATION_INVALID', 'The location is not in this store');
    return path;
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([statIfThere(one), statIfThere(other)]);
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function toSetAside(directory: string, id: string, name: string, size: number): SetAsideEntry {
  return {
    id,
    name,
    ...keyOfName(name),
    size,
    location: { uri: `file://${join(directory, QUARANTINE, `${id}.${basename(name)}`)}` },
    origin: { uri: `file://${join(directory, name)}` },
  };
}

/** A directory that can't be read to its end says nothing of what lies in it. */
async function* orUnavailable<T>(
  entries: AsyncIterable<T>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  try {
    yield* entries;
  } catch (error) {
    signal?.throwIfAborted();
    throw new ServiceError('STORE_UNAVAILABLE', `${what}: ${errnoOf(error) ?? 'unexpected error'}`, {
      cause: error,
    });
  }
}
