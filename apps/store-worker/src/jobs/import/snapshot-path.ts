import type { Stats } from 'node:fs';
import { type FileHandle, constants, open, realpath } from 'node:fs/promises';
import { relative } from 'node:path';
import { ServiceError } from '@glimpse/contracts';
import { failed } from './failed.js';

/**
 * `O_PATH` of Linux, which `node:fs` does not name: a handle on what lies there, whatever it is, that opens nothing. A pipe
 * does not wait for its writer, and no device notices.
 */
const O_PATH = 0x200000;

const refused = (problem: string) =>
  new ServiceError('REQUEST_INVALID', `The source of the snapshot is not allowed: ${problem}`);

/** Something under a root, held by a handle: what the name leads to meanwhile does not matter any more. */
export interface HeldPlace {
  readonly stats: Stats;
  /** A path that leads to the very same thing for as long as it is held. */
  readonly path: string;
  close(): Promise<void>;
}

/** The names that lead from the root to the path; undefined where it does not lie below. */
function namesBelow(root: string, path: string): string[] | undefined {
  const below = relative(root, path);
  return below === '' || /^\.\.(?:\/|$)/.test(below) ? undefined : below.split('/');
}

/** Absolute, and written in the one way that needs no resolving. */
const isPlain = (path: string): boolean =>
  path.startsWith('/') && !path.includes('\0') && !/\/\.{0,2}(?:\/|$)/.test(path);

const stepTo = (directory: FileHandle, name: string, flags: number): Promise<FileHandle> =>
  open(`/proc/self/fd/${directory.fd}/${name}`, O_PATH | constants.O_NOFOLLOW | flags);

/** From the root on name by name, each looked up in the directory that is held: nobody can swap one behind our back. */
async function descend(root: string, names: readonly string[]): Promise<FileHandle> {
  let place = await open(root, O_PATH | constants.O_DIRECTORY);
  for (const [index, name] of names.entries()) {
    const parent = place;
    try {
      place = await stepTo(parent, name, index < names.length - 1 ? constants.O_DIRECTORY : 0);
    } finally {
      await parent.close();
    }
  }
  return place;
}

/**
 * Holds what the path names, which must lie below one of the roots, with no symbolic link on the way from there and at the
 * end. REQUEST_INVALID where it does not, TRANSFER_ABORTED where there is nothing.
 */
export async function holdPlace(roots: readonly string[], path: string): Promise<HeldPlace> {
  if (!isPlain(path)) throw refused('its path is not a plain one');
  for (const root of roots) {
    const names = namesBelow(root, path);
    if (names !== undefined) return hold(root, names);
  }
  throw refused('it is under none of the directories of snapshots.file_roots');
}

async function hold(root: string, names: readonly string[]): Promise<HeldPlace> {
  try {
    // Where a root leads is its owner's choice.
    const place = await descend(await realpath(root), names);
    const stats = await place.stat();
    if (stats.isSymbolicLink()) {
      await place.close();
      throw refused('there is a symbolic link in its path');
    }
    return { stats, path: `/proc/self/fd/${place.fd}`, close: () => place.close() };
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    // ENOTDIR is also said of a link in place of a directory.
    throw failed(
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? 'The source of the snapshot cannot be opened: the store-worker may not'
        : 'The source of the snapshot is not there, or a symbolic link leads to it',
      error,
    );
  }
}
