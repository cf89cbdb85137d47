import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach } from '@jest/globals';
import { createLogger } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import { BreakableStore, KIB, wanted } from './breakable-store.conformance.js';
import type { WantedImage } from './cached-image.js';
import { ImageCache } from './image-cache.js';

const logger = createLogger('spec', { level: 'silent' });

/** A cache in a directory of its own for each test of the file that calls this. */
export function cacheUnderTest() {
  let dir: string;
  let cache: ImageCache;
  let mismatched: string[];
  const onMismatch = (imageId: string) => mismatched.push(imageId);
  const open = (maxBytes = 1024 * KIB) =>
    ImageCache.open({ dir, maxBytes, stallTimeMs: 1_000, logger, onMismatch });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-cache-'));
    mismatched = [];
    cache = await open();
  });
  afterEach(async () => {
    await cache.close();
    await rm(dir, { recursive: true });
  });

  const readFrom = (
    store: BreakableStore,
    image: WantedImage,
    range?: { start: number; end: number },
  ): Promise<Readable | undefined> =>
    cache.read({
      wanted: image,
      mayFill: true,
      openSource: store.open,
      openRest: (rest) => store.open({ range: rest, attempt: 0, signal: new AbortController().signal }),
      ...(range === undefined ? {} : { range }),
    });
  const bytesFrom = async (...request: Parameters<typeof readFrom>): Promise<Buffer | undefined> => {
    const stream = await readFrom(...request);
    return stream === undefined ? undefined : buffer(stream);
  };
  const cached = async (imageId: string, data = randomBytes(100 * KIB)): Promise<BreakableStore> => {
    const store = new BreakableStore(data);
    await bytesFrom(store, wanted(imageId, data));
    await waitFor('the image to be kept', () => cache.has(imageId));
    return store;
  };

  return {
    cache: () => cache,
    /** The images whose data had another hash. */
    mismatched: () => mismatched,
    inDir: (...path: string[]) => join(dir, ...path),
    filesIn: (folder: string) => readdir(join(dir, folder)),
    /** Another cache in the same directory; it is not closed by itself. */
    open,
    /** Goes on with a cache of that size in the same directory. The one before must be closed. */
    reopen: async (maxBytes?: number) => {
      cache = await open(maxBytes);
    },
    readFrom,
    bytesFrom,
    /** Brings an image into the cache. */
    cached,
  };
}
