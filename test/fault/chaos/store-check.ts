import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '@glimpse/persistence';
import { promisedFiles } from './database-check.js';

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

export interface Orphans {
  readonly files: readonly string[];
  readonly bytes: number;
}

/** What lies in the stores and belongs to nobody. */
export async function findOrphans(database: Database, folders: readonly string[]): Promise<Orphans> {
  const present = (await Promise.all(folders.map(filesBelow))).flat();
  const promised = new Set(await promisedFiles(database));
  const files = present.filter((file) => !promised.has(file));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return { files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Files that the database promises and that are not there. */
export async function findLostFiles(database: Database, folders: readonly string[]): Promise<string[]> {
  const present = new Set((await Promise.all(folders.map(filesBelow))).flat());
  return (await promisedFiles(database)).filter((file) => !present.has(file));
}
