import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { isServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import { type FanOutRequest, StoresFailed } from './fan-out.js';
import { TransferPipeline } from './transfer-pipeline.js';

const DATA = randomBytes(6_500_000);
const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex');

/** Chunks of an odd size; `fails` breaks off after half of them. */
async function* chunks(fails = false): AsyncGenerator<Buffer> {
  for (let from = 0; from < DATA.length; from += 70_001) {
    if (fails && from > DATA.length / 2) throw new Error('the line is dead');
    yield DATA.subarray(from, from + 70_001);
  }
}

describe('TransferPipeline.fanOut', () => {
  let folder: string;
  let stores: StoreRegistry;
  const pipeline = new TransferPipeline();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-fan-out-'));
    const options = Object.fromEntries(
      ['one', 'two', 'three'].map((id) => [id, { type: 'file', datadir: join(folder, id) }]),
    );
    stores = createStores(
      loadConfig({
        GLIMPSE_DATA_DIR: folder,
        GLIMPSE_STORES: JSON.stringify(options),
        GLIMPSE_DEFAULT_STORE: 'one',
      }),
      createLogger('test', { level: 'silent' }),
    );
  });
  afterEach(async () => {
    await stores.close();
    await rm(folder, { recursive: true });
  });

  const fanOut = (more: Partial<FanOutRequest> = {}) =>
    pipeline.fanOut({
      drivers: new Map(stores.ids.map((id) => [id, stores.get(id)])),
      key: 'image',
      uploadId: 'u1',
      source: Readable.from(chunks(), { objectMode: true }),
      allMustSucceed: true,
      hashAlgorithm: 'sha512',
      md5: true,
      sizeCap: 10_000_000,
      ...more,
    });
  const left = async () => (await Promise.all(stores.ids.map((id) => readdir(join(folder, id))))).flat();
  const obstruct = (id: string) => mkdir(join(folder, id, 'image'));

  it('stores the same data everywhere, and hashes it once', async () => {
    const { size, osHashValue, checksum, outcomes } = await fanOut();

    expect({ size, osHashValue }).toEqual({ size: DATA.length, osHashValue: sha512(DATA) });
    expect(checksum).toBe(createHash('md5').update(DATA).digest('hex'));
    expect([...outcomes.keys()]).toEqual(['one', 'two', 'three']);
    for (const id of stores.ids) expect(sha512(await readFile(join(folder, id, 'image')))).toBe(sha512(DATA));
  });

  it('goes on without a store that fails', async () => {
    await obstruct('two');

    const { outcomes } = await fanOut({ allMustSucceed: false });

    const failed = [...outcomes].filter(([, outcome]) => 'error' in outcome).map(([id]) => id);
    expect(failed).toEqual(['two']);
    expect(sha512(await readFile(join(folder, 'three', 'image')))).toBe(sha512(DATA));
  });

  it('gives up all of them, and says which failed, where all must succeed', async () => {
    await obstruct('two');

    const failure = await fanOut().catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(StoresFailed);
    const { reasons } = failure as StoresFailed;
    expect([...reasons.keys()]).toEqual(['two']);
    expect(isServiceError(reasons.get('two'), 'STORE_OBJECT_DUPLICATE')).toBe(true);
    expect(await left()).toEqual(['image']);
  });

  it('ends when there is no store left to read for', async () => {
    for (const id of stores.ids) await obstruct(id);

    const failure = await fanOut({ allMustSucceed: false }).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(StoresFailed);
    expect((failure as StoresFailed).reasons.size).toBe(3);
  });

  it.each<[string, Partial<FanOutRequest>, string]>([
    ['breaks off', { source: Readable.from(chunks(true), { objectMode: true }) }, 'TRANSFER_ABORTED'],
    ['is larger than allowed', { sizeCap: 1_000_000 }, 'QUOTA_EXCEEDED'],
    ['is shorter than announced', { expectedSize: DATA.length + 1 }, 'IMAGE_SIZE_MISMATCH'],
    ['is not what its hash says', { expectedDigests: new Map([['sha256', 'ab']]) }, 'TRANSFER_ABORTED'],
  ])('leaves nothing anywhere of data that %s', async (_what, more, code) => {
    const failure = await fanOut(more).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code });
    expect(await left()).toEqual([]);
  });

  it('stores data that is what its hash says', async () => {
    const expectedDigests = new Map([['sha256', createHash('sha256').update(DATA).digest('hex')]]);

    await fanOut({ expectedDigests });

    expect(await left()).toEqual(['image', 'image', 'image']);
  });

  it('stores no data at all', async () => {
    const { size } = await fanOut({ source: Readable.from([], { objectMode: true }) });

    expect(size).toBe(0);
    expect(await left()).toEqual(['image', 'image', 'image']);
  });

  it('ends with its signal, also while the source is idle', async () => {
    const stop = new AbortController();
    const source = new Readable({ read: () => undefined });
    source.push(Buffer.alloc(10));

    const transfer = fanOut({ source, signal: stop.signal });
    stop.abort(new Error('enough'));

    await expect(transfer).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    expect(await left()).toEqual([]);
  });
});
