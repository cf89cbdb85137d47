import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two directories and the web as stores: what to configure, where the data is, how to remove it. */
export function severalStores() {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-stores-'));
  const stores = {
    fast: { type: 'file', description: 'The fast one', weight: 10, datadir: join(folder, 'fast') },
    slow: { type: 'file', datadir: join(folder, 'slow') },
    web: { type: 'http', allow_private_addresses: true, description: 'Images of others' },
  };
  return {
    env: { GLIMPSE_STORES: JSON.stringify(stores), GLIMPSE_DEFAULT_STORE: 'slow' },
    /** Where a store keeps the data of an image. */
    fileOf: (store: 'fast' | 'slow', id: string) => join(folder, store, id),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
