import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './data-directories.js';
import { errnoOf } from './fs-errors.js';

/** Removes a file; resolves too when there is none. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * Makes a file under a temporary name by `fill` and publishes it as `path` once it is complete and durable. Never
 * replaces: rejects with EEXIST where `path` is taken. When it rejects nothing is left under either name.
 */
export async function publishFile(
  temporary: string,
  path: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(temporary, 'wx');
  try {
    try {
      await fill(file);
    } finally {
      // Closed before it is unlinked, so that a full disk has its space back at once.
      await file.close();
    }
    // A hard link is the one way to give a name only if it is free. It also fails where somebody took this attempt
    // for dead and removed the temporary file: such an attempt can publish nothing.
    await link(temporary, path);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
  try {
    // Gone already where somebody took this attempt for dead meanwhile: then `path` may be another attempt's by now, and
    // is not to be touched. Whoever commits this attempt learns that it lost.
    await removeIfThere(temporary);
    await syncDirectory(dirname(path));
  } catch (error) {
    await removeIfThere(path);
    await removeIfThere(temporary);
    throw error;
  }
}
