import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { createFormatGuard } from '@glimpse/inspector';
import { createLogger } from '@glimpse/observability';
import { type StoreDriver, createStores } from '@glimpse/stores';
import type { StoreImageRequest } from './transfer.js';
import { TransferPipeline } from './transfer-pipeline.js';

const MIB = 1_048_576;
const logger = createLogger('test', { level: 'silent' });
const hex = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex');

function inChunks(data: Buffer, ...sizes: number[]): Readable {
  function* cut() {
    for (let at = 0, n = 0; at < data.length; n++) {
      const size = sizes[n % sizes.length] ?? data.length;
      yield data.subarray(at, at + size);
      at += size;
    }
  }
  return Readable.from(cut(), { objectMode: false });
}

/** Gives `sizeBytes` and then nothing more, without ending. */
function idleAfter(sizeBytes: number): Readable {
  const stream = new Readable({ read() {} });
  if (sizeBytes > 0) stream.push(Buffer.alloc(sizeBytes, 1));
  return stream;
}

const lookingFor = (diskFormat: string) =>
  createFormatGuard({ diskFormat, containerFormat: 'bare' }, loadConfig({}).formats);

/** A store that keeps nothing, and takes each chunk when `pace` lets it. */
function discard(releasesChunks: boolean, pace: () => Promise<void> = async () => {}): StoreDriver {
  const unused = () => Promise.reject(new Error('not for this test'));
  return {
    capabilities: { write: true, delete: false, ranges: false, releasesChunks },
    async write(_key, data: AsyncIterable<Buffer>, { releaseChunk }) {
      let size = 0;
      for await (const chunk of data) {
        size += chunk.length;
        await pace();
        releaseChunk?.(chunk);
      }
      return { location: { uri: 'discard:' }, size, metadata: {} };
    },
    read: unused,
    size: unused,
    delete: unused,
    removeLeftovers: unused,
    parseLocation: (uri) => ({ uri }),
    checkHealth: async () => {},
    close: async () => {},
  };
}

describe('TransferPipeline', () => {
  let pipeline: TransferPipeline;
  let folder: string;
  let driver: StoreDriver;
  let keys = 0;

  beforeAll(() => {
    pipeline = new TransferPipeline();
  });
  afterAll(() => pipeline.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-pipeline-'));
    driver = createStores(loadConfig({ GLIMPSE_DATA_DIR: folder }), logger).get('file');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const store = (source: Readable, options: Partial<StoreImageRequest> = {}) =>
    pipeline.storeImage({
      driver,
      key: `image-${++keys}`,
      source,
      uploadId: 'u1',
      hashAlgorithm: 'sha512',
      md5: true,
      sizeCap: 1024 * MIB,
      ...options,
    });
  const stored = () => readdir(join(folder, 'images'));

  it.each([
    [0, [1]],
    [1, [1]],
    [MIB - 1, [65_536]],
    [MIB, [65_536]],
    [MIB + 1, [65_536]],
    [3 * MIB + 77, [1, 65_536, 4_097, 13]],
    [5 * MIB, [3 * MIB + 1]],
  ])('stores and hashes %d bytes in chunks of %j', async (size, chunks) => {
    const data = randomBytes(size);

    const image = await store(inChunks(data, ...chunks), { expectedSize: size });

    expect(image).toMatchObject({
      size,
      checksum: hex('md5', data),
      osHashAlgo: 'sha512',
      osHashValue: hex('sha512', data),
      virtualSize: null,
    });
    expect((await readFile(image.location.uri.slice('file://'.length))).equals(data)).toBe(true);
  });

  it.each([100, 3 * MIB])('computes other hashes of %d bytes, and no MD5 where that is off', async (size) => {
    const data = randomBytes(size);

    const image = await store(inChunks(data, 65_536), { hashAlgorithm: 'sha3-256', md5: false });
    const md5 = await store(inChunks(data, 65_536), { hashAlgorithm: 'md5' });

    expect(image).toMatchObject({ checksum: null, osHashValue: hex('sha3-256', data) });
    expect(md5).toMatchObject({ checksum: hex('md5', data), osHashValue: hex('md5', data) });
  });

  it('frees the chunks that are its own as it goes', async () => {
    const data = randomBytes(3 * MIB + 7);
    const chunks = Array.from({ length: 4 }, (_, n) => {
      const part = data.subarray(n * MIB, (n + 1) * MIB);
      const chunk = Buffer.allocUnsafeSlow(part.length);
      part.copy(chunk);
      return chunk;
    });

    const image = await store(Readable.from(chunks), { ownsChunks: true });

    expect(image.osHashValue).toBe(hex('sha512', data));
    expect(chunks.map((chunk) => chunk.length)).toEqual([0, 0, 0, 0]);
  });

  it('hands chunks of their own to a driver that keeps them', async () => {
    const data = randomBytes(12 * MIB + 5);
    const kept: Buffer[] = [];
    const keeper = discard(false);
    const image = await store(inChunks(data, 65_536), {
      driver: {
        ...keeper,
        write: async (_key, source) => {
          for await (const chunk of source) kept.push(chunk as Buffer);
          return { location: { uri: 'kept:' }, size: data.length, metadata: {} };
        },
      },
    });

    expect(Buffer.concat(kept).equals(data)).toBe(true);
    expect(image.osHashValue).toBe(hex('sha512', data));
  });

  it('keeps many transfers at once apart', async () => {
    const images = Array.from({ length: 12 }, (_, n) => randomBytes(2 * MIB + n * 100_001));

    const results = await Promise.all(images.map((data) => store(inChunks(data, 65_536, 1000))));

    results.forEach((image, n) => expect(image.osHashValue).toBe(hex('sha512', images[n]!)));
  });

  it('does not let slow transfers stop the others', async () => {
    const slow = Array.from({ length: 80 }, () => idleAfter(1000));
    const abort = new AbortController();
    const waiting = slow.map((source) =>
      store(source, { signal: abort.signal }).catch((error: ServiceError) => error.code),
    );
    const data = randomBytes(5 * MIB);

    const image = await store(inChunks(data, 65_536));

    expect(image.osHashValue).toBe(hex('sha512', data));
    abort.abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['TRANSFER_ABORTED']));
    expect(await stored()).toHaveLength(1);
  });

  it.each([
    ['more', 3 * MIB, 2 * MIB, `Size exceeds: expected ${2 * MIB} bytes, got`],
    ['fewer', 2 * MIB, 3 * MIB, `Size mismatch: expected ${3 * MIB} bytes, got ${2 * MIB} bytes`],
    ['no', 0, 1, 'Size mismatch: expected 1 bytes, got 0 bytes'],
  ])('refuses %s bytes than announced', async (_what, size, expectedSize, message) => {
    await expect(store(inChunks(randomBytes(size), 65_536), { expectedSize })).rejects.toMatchObject({
      code: 'IMAGE_SIZE_MISMATCH',
      message: expect.stringContaining(message),
    });
    expect(await stored()).toEqual([]);
  });

  it('refuses an image above the cap, at once where its size is announced', async () => {
    const source = idleAfter(0);

    const announced = store(source, { sizeCap: 100, expectedSize: 101 });
    await expect(announced).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const tooLong = store(inChunks(randomBytes(101), 10), { sizeCap: 100 });
    await expect(tooLong).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const fits = await store(inChunks(randomBytes(100), 10), { sizeCap: 100 });

    expect(fits.size).toBe(100);
    expect(await stored()).toHaveLength(1);
  });

  it('leaves the source to its owner, who may still have to answer', async () => {
    const source = idleAfter(1000);

    await expect(store(source, { sizeCap: 100 })).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });

    expect(source.destroyed).toBe(false);
  });

  it.each([0, 1000, 3 * MIB])(
    'ends when the signal says so while the source is idle after %d bytes',
    async (size) => {
      const abort = new AbortController();
      const storing = store(idleAfter(size), { signal: abort.signal });
      for (let turn = 0; turn < 20; turn++) await nextTurn();

      abort.abort(new Error('the client is gone'));

      await expect(storing).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
      expect(await stored()).toEqual([]);
    },
  );

  it('takes a source that breaks off', async () => {
    const source = idleAfter(3 * MIB);
    const storing = store(source);
    await nextTurn();

    source.destroy(new Error('ECONNRESET'));

    await expect(storing).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    expect(await stored()).toEqual([]);
  });

  it('ends when the driver fails, also while the source is idle', async () => {
    const failing: StoreDriver = {
      ...discard(true),
      write: async (_key, data) => {
        for await (const _chunk of data) throw new ServiceError('STORE_FULL', 'full');
        throw new Error('no data');
      },
    };

    await expect(store(idleAfter(2 * MIB), { driver: failing })).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
  });

  it('tells the progress and what the inspector saw', async () => {
    const seen: number[] = [];
    const data = randomBytes(3 * MIB + 1);

    const image = await store(inChunks(data, 65_536), {
      onProgress: (bytesDone) => seen.push(bytesDone),
      inspector: lookingFor('raw'),
    });

    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBe(65_536);
    expect(seen.at(-1)).toBe(3 * MIB + 1);
    expect(image.virtualSize).toBe(data.length);
  });

  it('stores nothing of what the inspector refuses, and reads no more of it', async () => {
    let produced = 0;
    function* produce() {
      for (; produced < 1024; produced++) yield Buffer.alloc(65_536);
    }

    await expect(
      store(Readable.from(produce(), { objectMode: true }), { inspector: lookingFor('qcow2') }),
    ).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_REFUSED',
      message: 'Image disk_format qcow2 does not match stream data raw',
    });

    expect(produced).toBeLessThan(32);
    expect(await stored()).toEqual([]);
  });

  it('stores nothing of what the inspector refuses at its very end', async () => {
    await expect(
      store(inChunks(Buffer.alloc(3 * MIB), 65_536), { inspector: lookingFor('vhd') }),
    ).rejects.toMatchObject({ code: 'IMAGE_FORMAT_REFUSED' });

    expect(await stored()).toEqual([]);
  });

  it('takes no more from the source than the store takes', async () => {
    let produced = 0;
    let taken = 0;
    let maxAhead = 0;
    const piece = Buffer.alloc(65_536, 3);
    function* produce() {
      for (let n = 0; n < 64 * 16; n++) {
        produced += piece.length;
        maxAhead = Math.max(maxAhead, produced - taken);
        yield piece;
      }
    }
    const slow = discard(true, async () => {
      taken += MIB;
      for (let turn = 0; turn < 5; turn++) await nextTurn();
    });

    await store(Readable.from(produce(), { objectMode: false }), { driver: slow });

    expect(maxAhead).toBeLessThanOrEqual(9 * MIB);
  });

  it('needs no more memory for a GiB than for a MiB', async () => {
    const piece = Buffer.alloc(MIB, 'abc');
    function* produce() {
      for (let n = 0; n < 1024; n++) yield piece;
    }
    await store(Readable.from([piece, piece], { objectMode: false }), { driver: discard(true) });
    let peak = 0;
    const memory = () => process.memoryUsage().external + process.memoryUsage().heapUsed;
    const before = memory();

    const image = await store(Readable.from(produce()), {
      driver: discard(true),
      hashAlgorithm: 'sha256',
      md5: false,
      onProgress: () => {
        peak = Math.max(peak, memory());
      },
    });

    expect(image.size).toBe(1024 * MIB);
    expect(peak - before).toBeLessThan(64 * MIB);
  });
});
