import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A module of the kernel as it is loaded. */
export interface KernelModule {
  readonly name: string;
  readonly data: Buffer;
}

const read = (file: string) =>
  file.endsWith('.xz')
    ? execFileSync('xz', ['-dc', file], { maxBuffer: 64 * 1024 * 1024 })
    : readFileSync(file);

/** What must be loaded before it, as the module itself says. */
const dependenciesOf = (data: Buffer) =>
  (/\0?depends=([^\0]*)\0/.exec(data.toString('latin1'))?.[1] ?? '').split(',').filter((name) => name !== '');

/** These modules from under `folder`, and those that they need, in order of loading. What is not there is built in. */
export function modulesFor(folder: string, names: readonly string[]): KernelModule[] {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ko(\.xz)?$/.test(file))
      .map((file) => [
        basename(file)
          .replace(/\.ko.*$/, '')
          .replaceAll('-', '_'),
        join(folder, file),
      ]),
  );
  const loaded = new Map<string, KernelModule>();
  const load = (name: string) => {
    const file = files.get(name);
    if (file === undefined || loaded.has(name)) return;
    const data = read(file);
    dependenciesOf(data).forEach(load);
    loaded.set(name, { name, data });
  };
  names.forEach(load);
  return [...loaded.values()];
}
