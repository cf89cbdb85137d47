import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { QueueDirectory } from './queue-directory.js';

describe('QueueDirectory', () => {
  let dir: string;
  let queue: QueueDirectory;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-queue-'));
    queue = new QueueDirectory(join(dir, 'cache'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('keeps what was added until it is removed', async () => {
    await queue.add('one');
    await queue.add('two');
    await queue.remove('one');

    expect(await new QueueDirectory(join(dir, 'cache')).load()).toEqual(['two']);
  });

  it.each(['../../victim', '..', '.', '', 'a/../../../victim', '../queue', 'a\0b'])(
    'touches nothing for %j, which is the name of no image',
    async (name) => {
      await queue.load();
      await writeFile(join(dir, 'victim'), 'still here');

      await queue.add(name);
      await queue.remove(name);

      expect(await queue.load()).toEqual([]);
      expect(await readFile(join(dir, 'victim'), 'utf8')).toBe('still here');
    },
  );
});
