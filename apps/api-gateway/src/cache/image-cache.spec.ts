import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@glimpse/testing';
import { BreakableStore, KIB, wanted } from './breakable-store.conformance.js';
import { cacheUnderTest } from './cache-under-test.conformance.js';

const { bytesFrom, cache, cached, filesIn, mismatched, readFrom, reopen } = cacheUnderTest();

describe('an image that is not in the cache', () => {
  it('is read from its store once, however many want it, and then from the cache', async () => {
    const store = new BreakableStore(randomBytes(200 * KIB));
    const image = wanted('i', store.data);

    const bytes = await Promise.all(Array.from({ length: 200 }, () => bytesFrom(store, image)));

    expect(bytes.every((one) => one?.equals(store.data))).toBe(true);
    await waitFor('the image to be kept', () => cache().has('i'));
    expect((await bytesFrom(store, image))?.equals(store.data)).toBe(true);
    expect(store.reads).toHaveLength(1);
    expect(cache().list()).toMatchObject([{ imageId: 'i', hits: 200, size: 200 * KIB }]);
  });

  it('fills at the pace of its store, whatever its first reader does', async () => {
    const store = new BreakableStore(randomBytes(4096 * KIB), 64 * KIB);
    await cache().close();
    await reopen(8192 * KIB);
    const image = wanted('i', store.data);
    const stalled = await readFrom(store, image);

    const bytes = await bytesFrom(store, image);

    expect(bytes?.equals(store.data)).toBe(true);
    await waitFor('the image to be kept', () => cache().has('i'));
    expect((await buffer(stalled!)).equals(store.data)).toBe(true);
    expect(store.reads).toHaveLength(1);
  });

  it('gives a range that is there already, and leaves another to the store', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 48 * KIB;
    const image = wanted('i', store.data);
    const first = await readFrom(store, image);
    await waitFor(
      'the first bytes',
      async () => (await bytesFrom(store, image, { start: 0, end: 40 * KIB })) !== undefined,
    );

    const there = await bytesFrom(store, image, { start: 10 * KIB, end: 40 * KIB });
    const missing = await bytesFrom(store, image, { start: 10 * KIB, end: 90 * KIB });

    expect(there?.equals(store.data.subarray(10 * KIB, 40 * KIB + 1))).toBe(true);
    expect(missing).toBeUndefined();
    store.goOn();
    expect((await buffer(first!)).equals(store.data)).toBe(true);
  });

  it('is not begun for a range', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));

    expect(await bytesFrom(store, wanted('i', store.data), { start: 1, end: 2 })).toBeUndefined();
    expect(store.reads).toEqual([]);
  });

  it('goes on where the store broke off', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.breakAt = [32 * KIB, 64 * KIB];
    const image = wanted('i', store.data);

    const all = await Promise.all([bytesFrom(store, image), bytesFrom(store, image)]);

    expect(all.every((bytes) => bytes?.equals(store.data))).toBe(true);
    expect(store.reads).toEqual([
      { start: 0, attempt: 0 },
      { start: 32 * KIB, attempt: 1 },
      { start: 64 * KIB, attempt: 2 },
    ]);
    await waitFor('the image to be kept', () => cache().has('i'));
  });

  it('fails for all readers, at once, when the store has failed for good, and is not kept', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.breakAt = Array.from({ length: 9 }, () => 32 * KIB);
    const image = wanted('i', store.data);

    const all = await Promise.allSettled([bytesFrom(store, image), bytesFrom(store, image)]);

    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await waitFor('the rest to be removed', async () => (await filesIn('incomplete')).length === 0);
    expect(cache().has('i')).toBe(false);
    expect(await filesIn('images')).toEqual([]);
  });

  it('fails when the store holds more than the image', async () => {
    const data = randomBytes(100 * KIB);
    const store = new BreakableStore(Buffer.concat([data, Buffer.from('x')]));

    await expect(bytesFrom(store, wanted('i', data))).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    expect(cache().has('i')).toBe(false);
  });

  it('that sends nothing any more has failed', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 32 * KIB;

    await expect(bytesFrom(store, wanted('i', store.data))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    store.goOn();
  });

  it('is delivered but not kept when its hash is another, and not fetched again', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    const image = wanted('i', store.data, '0'.repeat(32));

    expect((await bytesFrom(store, image))?.equals(store.data)).toBe(true);

    await waitFor('the copy to be removed', async () => (await filesIn('incomplete')).length === 0);
    expect(cache().has('i')).toBe(false);
    expect(mismatched()).toEqual(['i']);
    expect(await bytesFrom(store, image)).toBeUndefined();
  });

  it('is kept without any hash, by its size', async () => {
    const store = new BreakableStore(randomBytes(10 * KIB));
    const image = { ...wanted('i', store.data), hash: null, identity: 'locations:x' };

    await bytesFrom(store, image);

    await waitFor('the image to be kept', () => cache().has('i'));
  });
});

describe('when readers leave', () => {
  it('a fill that has hardly begun is given up', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 16 * KIB;
    const reader = await readFrom(store, wanted('i', store.data));

    reader!.destroy();

    await waitFor('the copy to be removed', async () => (await filesIn('incomplete')).length === 0);
    store.goOn();
    expect(cache().has('i')).toBe(false);
  });

  it('a fill that is half done is finished', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 64 * KIB;
    const image = wanted('i', store.data);
    const reader = await readFrom(store, image);
    await waitFor(
      'half of it',
      async () => (await bytesFrom(store, image, { start: 0, end: 60 * KIB })) !== undefined,
    );

    reader!.destroy();
    store.goOn();

    await waitFor('the image to be kept', () => cache().has('i'));
  });

  it('others go on', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    store.holdAt = 16 * KIB;
    const image = wanted('i', store.data);
    const leaver = await readFrom(store, image);
    const other = await readFrom(store, image);

    leaver!.destroy();
    store.goOn();

    expect((await buffer(other!)).equals(store.data)).toBe(true);
    expect(store.reads).toHaveLength(1);
  });
});

describe('the bound', () => {
  it('removes what was used least recently', async () => {
    await cache().close();
    await reopen(250 * KIB);
    const first = await cached('a');
    await cached('b');
    await bytesFrom(first, wanted('a', first.data));

    await cached('c');

    expect(
      cache()
        .list()
        .map(({ imageId }) => imageId),
    ).toEqual(['a', 'c']);
    expect((await filesIn('images')).toSorted()).toEqual(['a', 'c']);
    expect((await filesIn('records')).toSorted()).toEqual(['a', 'c']);
  });

  it('keeps nothing that is larger, and nothing that leaves no room for what is under way', async () => {
    await cache().close();
    await reopen(150 * KIB);
    const large = new BreakableStore(randomBytes(151 * KIB));
    const slow = new BreakableStore(randomBytes(100 * KIB));
    slow.holdAt = 8 * KIB;
    const reading = bytesFrom(slow, wanted('slow', slow.data));

    expect(await bytesFrom(large, wanted('large', large.data))).toBeUndefined();
    const other = new BreakableStore(randomBytes(100 * KIB));
    expect(await bytesFrom(other, wanted('other', other.data))).toBeUndefined();

    slow.goOn();
    expect((await reading)?.equals(slow.data)).toBe(true);
  });

  it('does not remove a thing for a fill that has not got so far', async () => {
    await cache().close();
    await reopen(150 * KIB);
    await cached('a');
    const slow = new BreakableStore(randomBytes(100 * KIB));
    slow.holdAt = 16 * KIB;
    const reader = await readFrom(slow, wanted('slow', slow.data));

    reader!.destroy();
    slow.goOn();
    await waitFor('the copy to be removed', async () => (await filesIn('incomplete')).length === 0);

    expect(cache().has('a')).toBe(true);
  });

  it('leaves an image to those who read it when it is removed', async () => {
    await cache().close();
    await reopen(2048 * KIB);
    const store = await cached('a', randomBytes(2000 * KIB));
    const reader = await readFrom(store, wanted('a', store.data));

    await cached('b');

    expect(cache().has('a')).toBe(false);
    expect((await buffer(reader!)).equals(store.data)).toBe(true);
    expect(store.reads).toHaveLength(1);
  });

  it('is met at the start too', async () => {
    await cached('a');
    await cached('b');
    await cache().close();

    await reopen(150 * KIB);

    expect(
      cache()
        .list()
        .map(({ imageId }) => imageId),
    ).toEqual(['b']);
    expect(await cache().prune()).toEqual({ files: 0, bytes: 0 });
  });
});

describe('an image that is asked for without being read', () => {
  const fetch = (store: BreakableStore, imageId: string) =>
    cache().fetch(wanted(imageId, store.data), store.open);

  it('is kept, and there from then on', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));

    expect(await fetch(store, 'i')).toBe('kept');
    expect(await fetch(store, 'i')).toBe('there');
  });

  it('waits for room that others will give back; one that is too large waits for nothing', async () => {
    const [first, second] = [
      new BreakableStore(randomBytes(600 * KIB)),
      new BreakableStore(randomBytes(600 * KIB)),
    ];
    first.holdAt = 16 * KIB;
    const outcome = fetch(first, 'first');

    expect(await fetch(second, 'second')).toBe('no-room');
    expect(await fetch(new BreakableStore(randomBytes(1025 * KIB)), 'large')).toBe('bypass');

    first.goOn();
    expect(await outcome).toBe('kept');
    expect(await fetch(second, 'second')).toBe('kept');
  });

  it('is served from the cache also where downloads bring nothing there', async () => {
    const store = new BreakableStore(randomBytes(100 * KIB));
    const request = { wanted: wanted('i', store.data), mayFill: false, openSource: store.open };
    const openRest = () => Promise.reject(new Error('There is nothing missing'));
    expect(await cache().read({ ...request, openRest })).toBeUndefined();
    expect(store.reads).toEqual([]);
    await fetch(store, 'i');

    const stream = await cache().read({ ...request, openRest });

    expect(stream === undefined ? undefined : await buffer(stream)).toEqual(store.data);
    expect(store.reads).toHaveLength(1);
  });
});
