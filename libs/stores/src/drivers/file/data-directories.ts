import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { access, open, statfs } from 'node:fs/promises';
import { isAbsolute, normalize, relative } from 'node:path';
import { ServiceError } from '@glimpse/contracts';
import type { DataDirectory, FileOptions } from './file.options.js';

const SCHEME = /^(?:file|filesystem):\/\//;
const READ_WRITE = constants.R_OK | constants.W_OK | constants.X_OK;

/** Makes the directories where they are missing and lets the readers that the file mode names pass. Throws where one can't be used. */
export function prepareDirectories({ directories, fileMode }: FileOptions): void {
  for (const { path } of directories) {
    mkdirSync(path, { recursive: true });
    accessSync(path, READ_WRITE);
    const passage = ((fileMode & 0o070) === 0 ? 0 : 0o010) | ((fileMode & 0o007) === 0 ? 0 : 0o001);
    const { mode } = statSync(path);
    if ((mode & passage) !== passage) chmodSync(path, (mode & 0o7777) | passage);
  }
}

export interface DirectorySpace extends DataDirectory {
  readonly freeBytes: number;
}

/** Of the highest priority that has room for `sizeBytes`, the directory with the most. */
export function chooseDirectory<D extends DirectorySpace>(
  directories: readonly D[],
  sizeBytes: number,
): D | undefined {
  return directories
    .filter(({ freeBytes }) => freeBytes >= sizeBytes)
    .toSorted((a, b) => b.priority - a.priority || b.freeBytes - a.freeBytes)[0];
}

/** Where to put data of `sizeBytes` (0 when unknown). A single directory is not asked for its space. */
export async function findRoom(directories: readonly DataDirectory[], sizeBytes: number): Promise<string> {
  const [only, ...others] = directories;
  if (only !== undefined && others.length === 0) return only.path;
  const withSpace = await Promise.all(
    directories.map(async (directory) => {
      const { bavail, bsize } = await statfs(directory.path);
      return { ...directory, freeBytes: bavail * bsize };
    }),
  );
  const chosen = chooseDirectory(withSpace, sizeBytes);
  if (chosen === undefined)
    throw new ServiceError('STORE_FULL', `No data directory has room for ${sizeBytes} bytes`);
  return chosen.path;
}

/** Whether `path` lies in `directory`, below any level of it. */
export function liesWithin(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below !== '' && below !== '..' && !below.startsWith('../') && !isAbsolute(below);
}

/** The path that a location names, where it lies in one of the directories. */
export function pathWithin(directories: readonly DataDirectory[], uri: string): string | undefined {
  const path = uri.replace(SCHEME, '');
  const isOurs =
    path !== uri &&
    normalize(path) === path &&
    directories.some((directory) => liesWithin(directory.path, path));
  return isOurs ? path : undefined;
}

/** Resolves when every directory can be read and written. */
export async function checkDirectories(directories: readonly DataDirectory[]): Promise<void> {
  await Promise.all(directories.map(({ path }) => access(path, READ_WRITE)));
}

/** Makes entries that were added or removed durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
