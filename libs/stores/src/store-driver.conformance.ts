import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ServiceError } from '@glimpse/contracts';
import type { StoreDriver } from './store-driver.js';
import type { DriverFixture } from './driver-fixture.conformance.js';
import { describeInventory } from './store-inventory.conformance.js';

export type { DriverFixture } from './driver-fixture.conformance.js';

const MIB = 1_048_576;

/** Bytes that repeat at no round distance, so that a piece in the wrong place is noticed. */
export function pattern(sizeBytes: number): Buffer {
  const period = createHash('shake256', { outputLength: 4_099 }).update(String(sizeBytes)).digest();
  return Buffer.alloc(sizeBytes, period);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A stream of `data` in chunks of these sizes, over and over. */
function inChunks(data: Buffer, ...sizes: number[]): Readable {
  function* cut() {
    for (let at = 0, n = 0; at < data.length; n++) {
      const size = sizes[n % sizes.length] ?? data.length;
      yield Buffer.from(data.subarray(at, at + size));
      at += size;
    }
  }
  return Readable.from(cut());
}

/** A stream that gives `sizeBytes` and then does what `end` does; it stays open when that is nothing. */
function openEnded(sizeBytes: number, end: (stream: Readable) => void = () => {}): Readable {
  let left = sizeBytes;
  return new Readable({
    read() {
      if (left === 0) {
        end(this);
        return;
      }
      const size = Math.min(left, 65_536);
      left -= size;
      this.push(Buffer.alloc(size, 7));
    },
  });
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );

/** Holds a driver to everything that `StoreDriver` promises. */
export function describeStoreDriver(name: string, open: () => Promise<DriverFixture>): void {
  describe(`${name} as a StoreDriver`, () => {
    let fixture: DriverFixture;
    beforeAll(async () => {
      fixture = await open();
    });
    afterAll(() => fixture.close());

    let keys = 0;
    const newKey = () => `image-${++keys}`;

    describeReading(() => fixture, newKey);
    describeWriting(() => fixture, newKey);
    describeRemoving(() => fixture, newKey);
    describeInventory(() => fixture);

    it('refuses URIs that are not its own', () => {
      for (const uri of ['', 'nonsense', 'other-scheme://a/b', ...fixture.foreignUris])
        expect(() => fixture.driver.parseLocation(uri)).toThrow(
          expect.objectContaining({ code: 'STORE_LOCATION_INVALID' }),
        );
    });

    it('gives back the URI that it parsed, letter for letter', async () => {
      const { uri } = await fixture.place(newKey(), pattern(3));

      expect(fixture.driver.parseLocation(uri).uri).toBe(uri);
    });

    it('knows whether the store can be used', async () => {
      await expect(fixture.driver.checkHealth({})).resolves.toBeUndefined();
      const mend = await fixture.breakDown?.();
      if (mend === undefined) return;

      expect(await codeOf(fixture.driver.checkHealth({}))).toBe('STORE_UNAVAILABLE');

      await mend();
      await expect(fixture.driver.checkHealth({})).resolves.toBeUndefined();
    });
  });
}

function describeReading(get: () => DriverFixture, newKey: () => string): void {
  it.each([0, 1, 65_537, 3 * MIB + 11])('reads an object of %d bytes and knows its size', async (size) => {
    const { driver, place } = get();
    const data = pattern(size);
    const location = await place(newKey(), data);

    expect((await readAll(await driver.read(location, {}))).equals(data)).toBe(true);
    expect(await driver.size(location, {})).toBe(size);
  });

  it('reads any range', async () => {
    const { driver, place } = get();
    const data = pattern(2 * MIB + 5);
    const location = await place(newKey(), data);
    const last = data.length - 1;

    for (const [start, end] of [
      [0, 0],
      [0, last],
      [last, last],
      [1, last - 1],
      [MIB - 1, MIB],
      [65_535, 65_536],
      [last - 70_000, last],
    ] as const) {
      const read = await readAll(await driver.read(location, { range: { start, end } }));
      expect(read.equals(data.subarray(start, end + 1))).toBe(true);
    }
  });

  it('serves several readers at once', async () => {
    const { driver, place } = get();
    const data = pattern(MIB + 1);
    const location = await place(newKey(), data);

    const all = await Promise.all(
      Array.from({ length: 8 }, async () => readAll(await driver.read(location, {}))),
    );

    expect(all.every((read) => read.equals(data))).toBe(true);
  });

  it('says that an object is missing before the first byte', async () => {
    const { driver, missing } = get();

    expect(await codeOf(driver.read(missing, {}))).toBe('STORE_OBJECT_NOT_FOUND');
    expect(await codeOf(driver.read(missing, { range: { start: 5, end: 9 } }))).toBe(
      'STORE_OBJECT_NOT_FOUND',
    );
    expect(await codeOf(driver.size(missing, {}))).toBe('STORE_OBJECT_NOT_FOUND');
  });

  it('reads no further ahead than a few pieces', async () => {
    const { driver, place } = get();
    const location = await place(newKey(), pattern(24 * MIB));

    const stream = await driver.read(location, {});
    stream.read(0);
    for (let turn = 0; turn < 200; turn++) await nextTurn();

    expect(stream.readableLength).toBeLessThan(4 * MIB);
    stream.destroy();
  });

  it('takes a reader that stops early, or is aborted', async () => {
    const { driver, place } = get();
    const data = pattern(8 * MIB);
    const location = await place(newKey(), data);

    for await (const chunk of await driver.read(location, {})) {
      expect(Buffer.isBuffer(chunk)).toBe(true);
      break;
    }
    const abort = new AbortController();
    const stream = await driver.read(location, { signal: abort.signal });
    abort.abort();
    await expect(readAll(stream)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(driver.read(location, { signal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });

    expect((await readAll(await driver.read(location, {}))).equals(data)).toBe(true);
  });
}

function describeWriting(get: () => DriverFixture, newKey: () => string): void {
  const refusesToWrite = async ({ driver, list }: DriverFixture) => {
    const before = await list();
    const source = openEnded(10);
    expect(await codeOf(driver.write(newKey(), source, { uploadId: 'u1' }))).toBe(
      'STORE_OPERATION_UNSUPPORTED',
    );
    expect(source.destroyed).toBe(true);
    expect(await list()).toEqual(before);
  };

  it.each([
    { size: 0, chunks: [1] },
    { size: 1, chunks: [1] },
    { size: 300_001, chunks: [1, 77, 4_095, 65_536, 3] },
    { size: 5 * MIB + 3, chunks: [MIB] },
    { size: 2 * MIB, chunks: [2 * MIB] },
  ])('stores $size bytes that come in chunks of $chunks', async ({ size, chunks }) => {
    const fixture = get();
    const { driver } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const data = pattern(size);

    const stored = await driver.write(newKey(), inChunks(data, ...chunks), { uploadId: 'u1' });

    expect(stored.size).toBe(size);
    expect((await readAll(await driver.read(stored.location, {}))).equals(data)).toBe(true);
  });

  it('stores an object that is larger than its buffers, in memory that is used again', async () => {
    const fixture = get();
    const { driver } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const hash = createHash('sha256');
    const free: Buffer[] = Array.from({ length: 4 }, () => Buffer.alloc(MIB));
    async function* produce() {
      for (let n = 0; n < 64; n++) {
        while (free.length === 0) await nextTurn();
        const chunk = driver.capabilities.releasesChunks ? free.pop()! : Buffer.alloc(MIB);
        chunk.fill(`piece ${n} `);
        hash.update(chunk);
        yield chunk;
      }
    }

    const stored = await driver.write(newKey(), Readable.from(produce(), { highWaterMark: 1 }), {
      uploadId: 'u1',
      expectedSize: 64 * MIB,
      releaseChunk: (chunk) => {
        chunk.fill(0xff);
        free.push(chunk);
      },
    });

    expect(sha256(await readAll(await driver.read(stored.location, {})))).toBe(hash.digest('hex'));
  });

  it('never replaces an object', async () => {
    const fixture = get();
    const { driver, list } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const key = newKey();
    const data = pattern(1000);
    const { location } = await driver.write(key, inChunks(data), { uploadId: 'u1' });
    const before = await list();

    expect(await codeOf(driver.write(key, inChunks(pattern(50)), { uploadId: 'u2' }))).toBe(
      'STORE_OBJECT_DUPLICATE',
    );

    expect(await list()).toEqual(before);
    expect((await readAll(await driver.read(location, {}))).equals(data)).toBe(true);
  });

  it('lets one of two writers of a key win', async () => {
    const fixture = get();
    const { driver, list } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const key = newKey();
    const before = await list();

    const outcomes = await Promise.all(
      ['u1', 'u2'].map((uploadId) =>
        codeOf(driver.write(key, inChunks(pattern(3 * MIB), 65_536), { uploadId })),
      ),
    );

    expect(new Set(outcomes)).toEqual(new Set(['STORE_OBJECT_DUPLICATE', 'no error']));
    expect(await list()).toHaveLength(before.length + 1);
  });

  it.each([
    { what: 'breaks off', code: 'TRANSFER_ABORTED', error: new Error('socket hang up') },
    {
      what: 'is refused on the way',
      code: 'IMAGE_SIZE_MISMATCH',
      error: new ServiceError('IMAGE_SIZE_MISMATCH', 'too long'),
    },
  ])('leaves nothing behind when the data $what', async ({ code, error }) => {
    const fixture = get();
    const { driver, list } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const before = await list();
    const source = openEnded(3 * MIB, (stream) => stream.destroy(error));

    expect(await codeOf(driver.write(newKey(), source, { uploadId: 'u1' }))).toBe(code);

    expect(await list()).toEqual(before);
  });

  it.each([0, 1, 3 * MIB])('leaves nothing behind when it is aborted after %d bytes', async (size) => {
    const fixture = get();
    const { driver, list } = fixture;
    if (!driver.capabilities.write) return refusesToWrite(fixture);
    const before = await list();
    const abort = new AbortController();
    const source = openEnded(size, () => abort.abort());

    expect(await codeOf(driver.write(newKey(), source, { uploadId: 'u1', signal: abort.signal }))).toBe(
      'TRANSFER_ABORTED',
    );

    expect(source.destroyed).toBe(true);
    expect(await list()).toEqual(before);
    expect(await codeOf(driver.write(newKey(), source, { uploadId: 'u2', signal: abort.signal }))).toBe(
      'TRANSFER_ABORTED',
    );
  });
}

function describeRemoving(get: () => DriverFixture, newKey: () => string): void {
  const refusesToRemove = async (driver: StoreDriver, key: string) =>
    expect(await codeOf(driver.removeLeftovers(key, 'u1', {}))).toBe('STORE_OPERATION_UNSUPPORTED');

  it('removes an object, and counts one that is gone as removed', async () => {
    const { driver, place, list } = get();
    const isAble = driver.capabilities.delete;
    const before = await list();
    const location = await place(newKey(), pattern(10));

    const outcomes = [await codeOf(driver.delete(location, {})), await codeOf(driver.delete(location, {}))];

    expect(new Set(outcomes)).toEqual(new Set([isAble ? 'no error' : 'STORE_OPERATION_UNSUPPORTED']));
    expect(await codeOf(driver.size(location, {}))).toBe(isAble ? 'STORE_OBJECT_NOT_FOUND' : 'no error');
    expect(await list()).toHaveLength(isAble ? before.length : before.length + 1);
  });

  it('removes what an attempt left that had finished without being recorded, and nothing is no trouble', async () => {
    const { driver, list } = get();
    const key = newKey();
    if (!driver.capabilities.write) return refusesToRemove(driver, key);
    const before = await list();
    await driver.write(key, inChunks(pattern(10)), { uploadId: 'u1' });

    await driver.removeLeftovers(key, 'u1', {});
    await driver.removeLeftovers(key, 'u1', {});

    expect(await list()).toEqual(before);
    const again = await driver.write(key, inChunks(pattern(20)), { uploadId: 'u2' });
    expect(again.size).toBe(20);
  });
}
