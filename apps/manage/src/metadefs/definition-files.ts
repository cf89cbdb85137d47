import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  MetadefFile,
  type NewMetadefContent,
  checkMetadefDocument,
  toNewContent,
  toNewNamespace,
} from '@glimpse/contracts';
import type { OwnedNamespace } from '@glimpse/persistence';
import { OperatorError } from '../operator-error.js';

/** What a file defines. */
export interface Definition {
  readonly namespace: OwnedNamespace;
  readonly content: NewMetadefContent;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Glance's own export says null of what there is not. */
const withoutNulls = (value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null)) : value;

function tidy(value: unknown): unknown {
  if (!isObject(value)) return value;
  const elements = (list: unknown) => (Array.isArray(list) ? list.map(withoutNulls) : list);
  return withoutNulls({
    ...value,
    resource_type_associations: elements(value['resource_type_associations'] ?? null),
    objects: elements(value['objects'] ?? null),
    tags: elements(value['tags'] ?? null),
  });
}

/** The definition in the text of a file. Throws with a reason where there is none. */
function parseDefinition(text: string): Definition {
  const file = checkMetadefDocument('metadefs file', MetadefFile, tidy(JSON.parse(text)));
  return { namespace: { ...toNewNamespace(file), owner: file.owner }, content: toNewContent(file) };
}

/** The files that `path` names: itself, or what ends in `.json` in it, by name. */
export async function definitionFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new OperatorError(`can't read ${path}`, { cause: error });
  });
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).toSorted();
  if (names.length === 0) throw new OperatorError(`${path} has no file that ends in .json`);
  return names.map((name) => join(path, name));
}

/** Reads a file. Throws with a reason where it has no definition: a pipe or a device might never end. */
export async function readDefinition(file: string): Promise<Definition> {
  if (!(await stat(file)).isFile()) throw new Error('It is not a regular file.');
  return parseDefinition(await readFile(file, 'utf8'));
}
