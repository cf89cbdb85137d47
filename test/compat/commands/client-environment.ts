import { join } from 'node:path';

/** A Glimpse with everything that the commands of clients speak of; `folder` is for its stores and its cache. */
export const clientEnvironment = (folder: string): Record<string, string> => ({
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: join(folder, 'fast'), weight: 10, description: 'near' },
    slow: { type: 'file', datadir: join(folder, 'slow') },
    web: { type: 'http', allow_private_addresses: true },
  }),
  GLIMPSE_DEFAULT_STORE: 'fast',
  GLIMPSE_IMAGES_SHOW_MULTIPLE_LOCATIONS: 'true',
  GLIMPSE_CACHE_DIR: join(folder, 'cache'),
  GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1/32',
  GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
});
