import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegistry } from './registry.conformance.js';

describeRegistry('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-registry-'));
  return {
    url: `sqlite:${join(folder, 'test.sqlite')}`,
    remove: () => rm(folder, { recursive: true }),
  };
});
