import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServiceError, attemptIdOf } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ScratchSpace } from './scratch-space.js';

const logger = createLogger('test', { level: 'silent' });
const MAX_AGE_MS = 60_000;

describe('ScratchSpace', () => {
  let directory: string;
  let space: ScratchSpace;
  const spaceOf = (maxBytes = 100) => new ScratchSpace({ directory, maxBytes, maxAgeMs: MAX_AGE_MS }, logger);
  const codeOf = (attempt: () => void) => {
    try {
      attempt();
      return 'done';
    } catch (error) {
      return error instanceof ServiceError ? error.code : String(error);
    }
  };

  const make = (name: string) => {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'disk'), 'data');
  };
  const age = (name: string) => {
    const longAgo = new Date(Date.now() - MAX_AGE_MS - 1_000);
    utimesSync(join(directory, name), longAgo, longAgo);
  };

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'glimpse-scratch-')), 'scratch');
    space = spaceOf();
  });
  afterEach(() => {
    space.stop();
    rmSync(join(directory, '..'), { recursive: true });
  });

  it('gives each attempt a folder, and takes it away with what is in it', async () => {
    const folder = await space.open('one');
    writeFileSync(join(folder.path, 'disk'), 'data');

    await folder.remove();

    expect(readdirSync(directory)).toEqual([]);
  });

  it('has folders of several purposes for an attempt, and removes all that one left', async () => {
    const attempt = attemptIdOf(randomUUID(), 1);
    const other = attemptIdOf(randomUUID(), 11);
    await space.open(attempt);
    const parent = await space.open(attempt, 'parent');
    await space.open(other, 'parent');
    const before = readdirSync(directory).toSorted();

    await space.removeLeftovers(attempt);

    expect(before).toEqual([attempt, `${attempt}.parent`, `${other}.parent`].toSorted());
    expect(readdirSync(directory)).toEqual([`${other}.parent`]);
    expect(parent.path).toBe(join(directory, `${attempt}.parent`));
  });

  it('has room for so much, which comes back', async () => {
    const one = await space.open('one');
    const two = await space.open('two');
    one.reserve(60);

    expect(codeOf(() => two.reserve(50))).toBe('SCRATCH_FULL');
    expect(codeOf(() => two.reserve(101))).toBe('QUOTA_EXCEEDED');
    one.release(20);
    expect(codeOf(() => two.reserve(50))).toBe('done');
    await one.remove();
    expect(codeOf(() => two.reserve(50))).toBe('done');
    expect(codeOf(() => two.reserve(1))).toBe('QUOTA_EXCEEDED');
  });

  it('has any room where none is named', async () => {
    const folder = await spaceOf(0).open('one');

    expect(codeOf(() => folder.reserve(2 ** 50))).toBe('done');
    await folder.remove();
  });

  it('is cleared of what dead workers left: the same attempt, an earlier one, and whatever is old', async () => {
    const [same = '', earlier = '', old = '', young = ''] = [1, 2, 3, 4].map((attempt) =>
      attemptIdOf(randomUUID(), attempt),
    );
    for (const name of [same, earlier, old, young]) make(name);
    age(old);

    await space.start();
    await space.removeLeftovers(earlier);
    const folder = await space.open(same);

    expect(readdirSync(directory).toSorted()).toEqual([same, young].toSorted());
    expect(existsSync(join(folder.path, 'disk'))).toBe(false);
    await folder.remove();
  });

  it('leaves what is not its own, however old: the directory may be one that others use', async () => {
    const [image, file] = [randomUUID(), attemptIdOf(randomUUID(), 1)];
    for (const name of ['photos', image]) make(name);
    writeFileSync(join(directory, file), 'data');
    for (const name of ['photos', image, file]) age(name);

    await space.start();

    expect(readdirSync(directory).toSorted()).toEqual(['photos', image, file].toSorted());
  });
});
