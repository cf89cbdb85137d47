import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

const { link, mkdtemp, readFile, readdir, rm, unlink, writeFile } = files;

/** What others do right after a file was given its final name. */
let meanwhile: (temporary: string, path: string) => Promise<void>;
jest.unstable_mockModule('node:fs/promises', () => ({
  ...files,
  link: async (temporary: string, path: string) => {
    await link(temporary, path);
    await meanwhile(temporary, path);
  },
}));
const { publishFile } = await import('./temporary-file.js');

describe('publishFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-temporary-file-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('leaves the data of another attempt alone when it was taken for dead after it had published', async () => {
    const path = join(folder, 'an-id');
    meanwhile = async (temporary) => {
      await unlink(temporary);
      await unlink(path);
      await writeFile(path, 'of another attempt');
    };

    await publishFile(join(folder, '.temporary'), path, (file) => file.writeFile('late'));

    expect(await readFile(path, 'utf8')).toBe('of another attempt');
    expect(await readdir(folder)).toEqual(['an-id']);
  });
});
