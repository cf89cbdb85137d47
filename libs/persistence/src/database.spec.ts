import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describePersistence } from './persistence.conformance.js';

describePersistence('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-db-'));
  return {
    options: { url: `sqlite:${join(folder, 'test.sqlite')}`, poolSize: 1, connectTimeoutMs: 1000 },
    remove: () => rm(folder, { recursive: true }),
  };
});
