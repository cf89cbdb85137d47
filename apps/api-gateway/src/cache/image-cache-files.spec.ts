import { randomBytes } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@glimpse/testing';
import { BreakableStore, KIB, md5, wanted } from './breakable-store.conformance.js';
import { cacheUnderTest } from './cache-under-test.conformance.js';

const { bytesFrom, cache, cached, filesIn, inDir, open, reopen } = cacheUnderTest();

describe('the files', () => {
  it('are found again after a restart, with what was counted', async () => {
    const store = await cached('a');
    await bytesFrom(store, wanted('a', store.data));
    const before = cache().list();
    await cache().close();

    await reopen();

    expect(cache().list()).toEqual(before);
    expect(before).toMatchObject([{ hits: 1 }]);
    expect((await bytesFrom(store, wanted('a', store.data)))?.equals(store.data)).toBe(true);
    expect(store.reads).toHaveLength(1);
  });

  it('that a process which died left half done are removed', async () => {
    await cached('whole');
    await cached('short');
    await cached('unrecorded');
    await cache().close();
    await truncate(inDir('images', 'short'), 5);
    await rm(inDir('records', 'unrecorded'));
    await writeFile(inDir('incomplete', 'x'), 'half');
    await writeFile(inDir('records', 'orphan'), '{}');

    await reopen();

    expect(
      cache()
        .list()
        .map(({ imageId }) => imageId),
    ).toEqual(['whole']);
    expect(await filesIn('incomplete')).toEqual([]);
    expect(await filesIn('images')).toEqual(['whole']);
    expect(await filesIn('records')).toEqual(['whole']);
  });

  it('that vanished or shrank behind its back are read from the store', async () => {
    const gone = await cached('gone');
    const short = await cached('short');
    await rm(inDir('images', 'gone'));
    await truncate(inDir('images', 'short'), 5);

    for (const [id, store] of [
      ['gone', gone],
      ['short', short],
    ] as const) {
      expect((await bytesFrom(store, wanted(id, store.data)))?.equals(store.data)).toBe(true);
      expect(store.reads).toHaveLength(2);
    }
  });

  it('of another content under the same id are not served', async () => {
    await cached('a');
    const other = new BreakableStore(randomBytes(100 * KIB));

    expect((await bytesFrom(other, wanted('a', other.data)))?.equals(other.data)).toBe(true);
    expect(other.reads).toHaveLength(1);
  });

  it('that belong to nothing are removed on request', async () => {
    await cached('a');
    await writeFile(inDir('images', 'stray'), 'x');
    await writeFile(inDir('incomplete', 'stray'), 'x');

    await cache().clean();

    expect([await filesIn('images'), await filesIn('incomplete')]).toEqual([['a'], []]);
  });

  it('are removed one by one and all together', async () => {
    await cached('a');
    await cached('b');
    await cached('c');

    expect(await cache().remove('a')).toBe(true);
    expect(await cache().remove('a')).toBe(false);
    expect(await cache().clear()).toBe(2);

    expect([await filesIn('images'), await filesIn('records')]).toEqual([[], []]);
  });

  it('are removed a few at a time, so that others get at the disk meanwhile', async () => {
    await cache().close();
    for (let at = 0; at < 400; at += 1) {
      const imageId = `image-${at}`;
      const record = { imageId, identity: 'md5:0', size: 1, checksum: null, hits: 0 };
      await writeFile(inDir('images', imageId), 'x');
      await writeFile(
        inDir('records', imageId),
        JSON.stringify({ ...record, lastAccessed: at, lastModified: at }),
      );
    }
    await reopen();

    const clearing = cache().clear();
    await readFile(inDir('images', 'image-399'));

    expect(cache().list().length).toBeGreaterThan(0);
    expect(await clearing).toBe(400);
    expect(await filesIn('images')).toEqual([]);
  });

  it('are not made for an image that is removed while it is fetched', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 16 * KIB;
    const reading = bytesFrom(store, wanted('i', store.data));
    await waitFor('a file', async () => (await filesIn('incomplete')).length > 0);

    await cache().remove('i');
    store.goOn();

    expect((await reading)?.equals(store.data)).toBe(true);
    await waitFor('the copy to be removed', async () => (await filesIn('incomplete')).length === 0);
    expect(cache().has('i')).toBe(false);
  });

  it('belong to one cache', async () => {
    await expect(open()).rejects.toThrow('Another gateway uses the cache');
  });

  it('say nothing that is not so: the record is beside data that is whole', async () => {
    const store = await cached('a');

    expect(JSON.parse(await readFile(inDir('records', 'a'), 'utf8'))).toMatchObject({
      imageId: 'a',
      size: store.data.length,
      checksum: md5(store.data),
    });
  });
});

describe('a broken disk', () => {
  it('leaves the readers to the store', async () => {
    await rm(inDir('incomplete'), { recursive: true });
    const store = new BreakableStore(randomBytes(100 * KIB));

    expect((await bytesFrom(store, wanted('i', store.data)))?.equals(store.data)).toBe(true);
    expect(cache().has('i')).toBe(false);
  });

  it('that loses the name of a finished copy fails nobody', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 64 * KIB;
    const reading = bytesFrom(store, wanted('i', store.data));
    await waitFor('a file', async () => (await filesIn('incomplete')).length > 0);
    await rm(inDir('images'), { recursive: true });

    store.goOn();

    expect((await reading)?.equals(store.data)).toBe(true);
    expect(cache().has('i')).toBe(false);
  });
});
