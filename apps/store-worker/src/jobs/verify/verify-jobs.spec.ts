import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { type JobPayload, type RecordedData, ServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ProgressMeter, TransferPipeline } from '@glimpse/pipeline';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import { CopyReader } from './copy-reader.js';
import { RepairJob } from './repair.job.js';
import { VerifyJob } from './verify.job.js';

const logger = createLogger('test', { level: 'silent' });
const data = randomBytes(300_000);
const hashOf = (algorithm: string) => createHash(algorithm).update(data).digest('hex');
const recorded: RecordedData = {
  size: data.length,
  checksum: hashOf('md5'),
  osHashAlgo: 'sha512',
  osHashValue: hashOf('sha512'),
};
const none = { checksum: null, osHashAlgo: null, osHashValue: null };

describe('looking at copies', () => {
  let folder: string;
  let stores: StoreRegistry;
  let pipeline: TransferPipeline;
  let verifyJob: VerifyJob;
  let repairJob: RepairJob;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-verify-'));
    const options = {
      one: { type: 'file', datadir: `${folder}/one` },
      two: { type: 'file', datadir: `${folder}/two` },
      web: { type: 'http', allow_private_addresses: true },
    };
    stores = createStores(
      loadConfig({ GLIMPSE_STORES: JSON.stringify(options), GLIMPSE_DEFAULT_STORE: 'one' }),
      logger,
    );
    pipeline = new TransferPipeline();
    const copies = new CopyReader(pipeline);
    verifyJob = new VerifyJob(stores, copies, logger, 0);
    repairJob = new RepairJob(stores, copies, pipeline, logger);
  });
  afterEach(async () => {
    await stores.close();
    await pipeline.close();
    await rm(folder, { recursive: true });
  });

  const location = (store: string, name = 'image') => ({
    url: `file://${folder}/${store}/${name}`,
    metadata: { store },
  });
  const put = async (store: string, content = data) => {
    await writeFile(join(folder, store, 'image'), content);
  };
  const flipped = () => Buffer.from(data).fill(data[77]! ^ 1, 77, 78);
  const context = (signal = new AbortController().signal, attempt = 1) => ({
    signal,
    progress: new ProgressMeter('waiting'),
    attempt,
    lease: { jobId: 'j', leaseToken: 't' },
  });
  const verify = (more: Partial<JobPayload<'verify'>> = {}) =>
    verifyJob.run(
      {
        imageId: 'image',
        locationId: 1,
        location: location('one'),
        recorded,
        bytesPerSecond: null,
        missingHashes: null,
        witnesses: [],
        ...more,
      },
      context(),
    );
  const repair = (more: Partial<JobPayload<'repair'>> = {}, attempt = 1) =>
    repairJob.run(
      {
        imageId: 'image',
        locationId: 1,
        location: location('one'),
        recorded,
        sources: [location('two')],
        repairId: 'r',
        ...more,
      },
      context(undefined, attempt),
    );

  describe('VerifyJob', () => {
    it('finds whole what has every recorded hash, in whatever case it was written', async () => {
      await put('one');

      const looks = [
        verify(),
        verify({ recorded: { ...recorded, osHashValue: recorded.osHashValue!.toUpperCase() } }),
        verify({ recorded: { ...recorded, osHashAlgo: null, osHashValue: null } }),
        verify({ recorded: { ...recorded, checksum: null, size: null } }),
      ];

      for (const look of looks) expect(await look).toEqual({ state: 'intact', reason: null, found: null });
    });

    it.each([
      ['another byte', flipped, 'recorded hash'],
      ['bytes that are missing', () => data.subarray(0, 1_000), '1000 bytes'],
      ['nothing in it', () => Buffer.alloc(0), '0 bytes'],
      ['bytes too many', () => Buffer.concat([data, Buffer.alloc(1)]), 'bytes where'],
    ])('finds damaged what has %s', async (_, content, reason) => {
      await put('one', content());

      const result = await verify();

      expect(result).toMatchObject({ state: 'damaged', found: null });
      expect(result.reason).toContain(reason);
    });

    it('believes the second look where two differ', async () => {
      await put('one');
      const { driver } = stores.resolve(location('one'));
      const read = driver.read.bind(driver);
      let looks = 0;
      driver.read = (...args) => {
        looks += 1;
        return looks === 1 ? Promise.resolve(Readable.from([flipped()])) : read(...args);
      };

      const result = await verify();

      expect([looks, result.state]).toEqual([2, 'intact']);
    });

    it('tells what is not there from a store that is away', async () => {
      expect(await verify()).toMatchObject({ state: 'missing' });

      await rm(join(folder, 'one'), { recursive: true });

      await expect(verify()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await mkdir(join(folder, 'one'));
    });

    it('takes no data for lost where the store has nothing else either', async () => {
      const witnesses = [location('one', 'older'), location('one', 'oldest')];

      await expect(verify({ witnesses })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('mounted'),
      });
      await writeFile(join(folder, 'one', 'oldest'), 'x');

      expect(await verify({ witnesses })).toMatchObject({ state: 'missing' });
    });

    it('takes for damaged what a disk can not read that reads other data', async () => {
      await put('one');
      await writeFile(join(folder, 'one', 'other'), 'x');
      const { driver } = stores.resolve(location('one'));
      const read = driver.read.bind(driver);
      const failure = Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
      let isAllBroken = false;
      driver.read = ({ uri }, options) =>
        uri.endsWith('/image') || isAllBroken
          ? Promise.reject(new ServiceError('STORE_UNAVAILABLE', 'Cannot read: EIO', { cause: failure }))
          : read({ uri }, options);
      const witnesses = [location('one', 'other')];

      const one = await verify({ witnesses });
      isAllBroken = true;

      expect(one).toMatchObject({ state: 'damaged', reason: 'The store can not read the data' });
      await expect(verify({ witnesses })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(verify()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('takes a stream that ends too early for no damage', async () => {
      await put('one');
      stores.resolve(location('one')).driver.read = () =>
        Promise.resolve(Readable.from([data.subarray(0, 5_000)]));

      await expect(verify()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('reads what lies on a web server, and tells its refusals from those of the data', async () => {
      let answer: (response: ServerResponse) => void = (response) => response.end(data);
      const server = createServer((_, response) => answer(response));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`;
      const look = () => verify({ location: { url, metadata: { store: 'web' } } });

      expect(await look()).toMatchObject({ state: 'intact' });
      answer = (response) => response.end(flipped());
      expect(await look()).toMatchObject({ state: 'damaged' });
      answer = (response) => response.writeHead(404).end();
      expect(await look()).toMatchObject({ state: 'missing' });
      answer = (response) => response.writeHead(500).end();
      await expect(look()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });

      server.closeAllConnections();
      server.close();
    });

    it('measures what has no hash, and hashes it where that is wanted', async () => {
      await put('one');
      const unhashed = { ...none, size: data.length };

      const measured = await verify({ recorded: unhashed });
      const hashed = await verify({
        recorded: unhashed,
        missingHashes: { algorithm: 'sha512', md5: true },
      });
      const short = await verify({ recorded: { ...unhashed, size: 5 } });

      expect(measured).toEqual({ state: 'unhashed', reason: null, found: null });
      expect(hashed).toEqual({ state: 'unhashed', reason: null, found: recorded });
      expect(short).toMatchObject({ state: 'damaged' });
    });

    it('keeps to the bytes per second', async () => {
      await put('one');
      const begun = performance.now();

      await verify({ bytesPerSecond: 1_000_000 });

      // 0.3 s of data, of which nothing is there to begin with.
      expect(performance.now() - begun).toBeGreaterThan(250);
    });
  });

  describe('RepairJob', () => {
    it('writes a good copy beside the damaged data', async () => {
      await put('one', flipped());
      await put('two');

      const result = await repair();

      expect(result).toEqual({ outcome: 'repaired', location: location('one', 'image-r'), suspects: [] });
      expect((await readFile(join(folder, 'one', 'image-r'))).equals(data)).toBe(true);
      expect((await readFile(join(folder, 'one', 'image'))).equals(flipped())).toBe(true);
    });

    it('copies nothing that is not what is recorded, and says which it was', async () => {
      await put('two', flipped());

      const result = await repair({ sources: [location('two'), location('two', 'lost')] });

      expect(result).toMatchObject({
        outcome: 'not-repaired',
        suspects: [location('two').url, location('two', 'lost').url],
      });
      expect(await readdir(join(folder, 'one'))).toEqual([]);
    });

    it('can be repeated after a worker that died anywhere in it', async () => {
      await put('two');
      await repair();
      await writeFile(join(folder, 'one', '.image-r.r-1.part'), 'half');

      const result = await repair({}, 2);

      expect(result).toMatchObject({ outcome: 'repaired' });
      expect(await readdir(join(folder, 'one'))).toEqual(['image-r']);
    });

    it('leaves nothing where the store does not give back what it was given', async () => {
      await put('two');
      const { driver } = stores.resolve(location('one'));
      driver.read = () => Promise.resolve(Readable.from([flipped()]));

      await expect(repair()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });

      expect(await readdir(join(folder, 'one'))).toEqual([]);
    });

    it('is nothing for what lies on web servers, nor for data without a hash', async () => {
      const onTheWeb = { url: 'http://127.0.0.1/x', metadata: { store: 'web' } };

      expect(await repair({ location: onTheWeb })).toMatchObject({ outcome: 'not-repaired' });
      expect(await repair({ recorded: { ...none, size: 1 } })).toMatchObject({ outcome: 'not-repaired' });
    });
  });
});
