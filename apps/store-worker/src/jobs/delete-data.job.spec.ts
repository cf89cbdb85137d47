import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import type { JobPayload } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ProgressMeter } from '@glimpse/pipeline';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import { DeleteDataJob } from './delete-data.job.js';

const logger = createLogger('test', { level: 'silent' });

describe('DeleteDataJob', () => {
  let folder: string;
  let stores: StoreRegistry;
  let job: DeleteDataJob;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-delete-data-'));
    const options = {
      one: { type: 'file', datadir: `${folder}/one` },
      two: { type: 'file', datadir: `${folder}/two` },
      web: { type: 'http' },
    };
    stores = createStores(
      loadConfig({ GLIMPSE_STORES: JSON.stringify(options), GLIMPSE_DEFAULT_STORE: 'one' }),
      logger,
    );
    job = new DeleteDataJob(stores, logger);
  });
  afterEach(async () => {
    await stores.close();
    await rm(folder, { recursive: true });
  });

  const run = (payload: Partial<JobPayload<'delete-data'>>, signal = new AbortController().signal) =>
    job.run(
      { imageId: 'image', locations: [], ...payload },
      { signal, progress: new ProgressMeter('waiting'), attempt: 1, lease: { jobId: 'j', leaseToken: 't' } },
    );
  const location = (store: string, name = 'image') => ({
    url: `file://${folder}/${store}/${name}`,
    metadata: { store },
  });
  const put = (...names: string[]) => Promise.all(names.map((name) => writeFile(join(folder, name), 'data')));
  const left = async () => (await Promise.all(['one', 'two'].map((id) => readdir(join(folder, id))))).flat();

  it('removes the data from every store, and is content when it is gone', async () => {
    await put('one/image', 'two/image', 'two/other');
    const payload = { locations: [location('one'), location('two')] };

    await run(payload);
    await run(payload);

    expect(await left()).toEqual(['other']);
  });

  it('finds the store of a location from before there were several', async () => {
    await put('two/image');

    await run({ locations: [{ url: `file://${folder}/two/image`, metadata: {} }] });

    expect(await left()).toEqual([]);
  });

  it('removes what an upload left behind, complete or not', async () => {
    await put('one/image', 'one/.image.u1.part', 'one/.image.u2.part');

    await run({ partial: { storeId: 'one', uploadId: 'u1' } });

    expect(await left()).toEqual(['.image.u2.part']);
  });

  it('forgets what can only be read', async () => {
    const web = { url: 'https://example.org/image', metadata: { store: 'web' } };

    await expect(run({ locations: [web] })).resolves.toBeNull();
  });

  it.each([
    ['a store that is not configured', { url: 'tape:///image', metadata: { store: 'tape' } }, '"tape"'],
    ['another place of a store', { url: 'file:///etc/passwd', metadata: { store: 'one' } }, '"one"'],
    ['no store at all', { url: 'rbd://fsid/pool/image/snap', metadata: {} }, 'none of the configured'],
  ])('says so when data is in %s, after it removed the rest', async (_, unknown, message) => {
    await put('one/image');

    const running = run({ locations: [unknown, location('one')] });

    await expect(running).rejects.toMatchObject({ code: 'STORE_UNKNOWN' });
    await expect(running).rejects.toThrow(message);
    expect(await left()).toEqual([]);
  });

  it('forgets what an upload left in a store that is not configured, for which the image would wait', async () => {
    await put('one/image');

    await run({ partial: { storeId: 'tape', uploadId: 'u1' } });

    expect(await left()).toEqual(['image']);
  });

  it('fails for now where data could not be removed, after it removed the rest', async () => {
    // A directory in the place of the file can't be unlinked, by root either.
    await mkdir(join(folder, 'one/image'));
    await put('two/image');

    await expect(run({ locations: [location('one'), location('two')] })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      isRetryable: true,
    });

    expect(await left()).toEqual(['image']);
    await rm(join(folder, 'one/image'), { recursive: true });
  });

  it('stops when it is told', async () => {
    await put('one/image');
    const abort = new AbortController();
    abort.abort(new Error('lease lost'));

    await expect(run({ locations: [location('one')] }, abort.signal)).rejects.toThrow('lease lost');

    expect(await left()).toEqual(['image']);
  });
});
