import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, '..');
const packageOf = (at: string) => JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as Package;
const allOf = ({ dependencies, devDependencies }: Package) => ({ ...dependencies, ...devDependencies });

/** What the program imports, wherever. */
const imports = readdirSync(join(folder, 'src'))
  .filter((name) => !name.endsWith('.spec.ts'))
  .flatMap((name) => [...readFileSync(join(folder, 'src', name), 'utf8').matchAll(/ from '([^']+)'/g)])
  .map(([, name = '']) => name);

describe('The folder of the agent, copied elsewhere', () => {
  it('has all that it imports', () => {
    const own = Object.keys(packageOf(folder).dependencies ?? {});
    const isThere = (name: string) => /^(?:node:|\.\/[\w-]+\.js$)/.test(name) || own.includes(name);

    expect(imports).not.toEqual([]);
    expect(imports.filter((name) => !isThere(name))).toEqual([]);
  });

  it('is built and run with the very versions that it is tested with', () => {
    expect(allOf(packageOf(join(folder, '..', '..')))).toMatchObject(allOf(packageOf(folder)));
  });
});
