import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readDefinition } from './definition-files.js';

describe('readDefinition', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-definitions-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('reads a file', async () => {
    const file = join(dir, 'one.json');
    await writeFile(file, '{"namespace": "one"}');

    expect((await readDefinition(file)).namespace).toMatchObject({ namespace: 'one', owner: 'admin' });
  });

  it('waits for nobody who might write into a pipe', async () => {
    const pipe = join(dir, 'pipe.json');
    execFileSync('mkfifo', [pipe]);

    await expect(readDefinition(pipe)).rejects.toThrow('not a regular file');
    await expect(readDefinition('/dev/zero')).rejects.toThrow('not a regular file');
  });
});
