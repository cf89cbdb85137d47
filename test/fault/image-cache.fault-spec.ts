import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataServer, type Glimpse, ImageApi, eachMode, startGlimpse, waitFor } from '@glimpse/testing';
import { filesIn } from './half-upload.js';
import { type SmallDisk, limitFiles, mountSmallDisk } from './small-disk.js';

const MIB = 1 << 20;
const TEST_TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'glimpse-cache-fault-'));
let web: DataServer;
beforeAll(async () => {
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  rmSync(folder, { recursive: true });
});

const webEnvironment = (cacheDir: string) => ({
  GLIMPSE_CACHE_DIR: cacheDir,
  GLIMPSE_STORES: JSON.stringify({
    near: { type: 'file', datadir: join(folder, 'near') },
    web: { type: 'http', allow_private_addresses: true },
  }),
  GLIMPSE_DEFAULT_STORE: 'near',
});

/** An image whose data is on the web. */
async function remoteImage(api: ImageApi, size: number) {
  const name = randomUUID();
  const data = randomBytes(size);
  const { id } = await api.create();
  await api.expect(202, 'POST', `/v2/images/${id}/locations`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      url: web.serve(name, data),
      validation_data: {
        os_hash_algo: 'sha256',
        os_hash_value: createHash('sha256').update(data).digest('hex'),
      },
    }),
  });
  await waitFor('the image to be active', async () => (await api.show(id)).status === 'active');
  return { id, name, data };
}

interface CacheState {
  readonly cached_images: { readonly image_id: string }[];
  readonly queued_images: string[];
}

const stateOf = async (api: ImageApi) =>
  JSON.parse((await api.expect(200, 'GET', '/v2/cache')).text) as CacheState;
const isCached = async (api: ImageApi, id: string) =>
  (await stateOf(api)).cached_images.some(({ image_id }) => image_id === id);

async function restartGateway(glimpse: Glimpse): Promise<void> {
  await glimpse.kill('api-gateway');
  await glimpse.start('api-gateway');
  await glimpse.ready();
}

eachMode(
  'A gateway that is killed',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);
    const cacheFiles = (kind: string) => filesIn(join(glimpse().env['GLIMPSE_CACHE_DIR']!, kind));

    it(
      'while it fetches an image serves nothing of it as the whole afterwards',
      async () => {
        const { id, name, data } = await remoteImage(api, 8 * MIB);
        const goOn = web.hold(name);
        const download = api.send('GET', `/v2/images/${id}/file`).then(
          () => 'whole',
          () => 'broken off',
        );
        await waitFor('a part on the disk', async () => (await cacheFiles('incomplete')).length > 0);

        await restartGateway(glimpse());

        expect(await download).toBe('broken off');
        goOn();
        expect(await cacheFiles('incomplete')).toEqual([]);
        expect(await isCached(api, id)).toBe(false);
        expect((await api.download(id)).equals(data)).toBe(true);
        await waitFor('the image in the cache', () => isCached(api, id));
        expect((await api.download(id)).equals(data)).toBe(true);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'has the images that were whole, and goes on with its queue',
      async () => {
        const [whole, waiting] = [await remoteImage(api, MIB), await remoteImage(api, MIB)];
        await api.download(whole.id);
        await waitFor('the image in the cache', () => isCached(api, whole.id));
        const goOn = web.hold(waiting.name);
        await api.expect(202, 'PUT', `/v2/cache/${waiting.id}`);

        await restartGateway(glimpse());
        web.remove(whole.name);
        goOn();

        expect((await api.download(whole.id)).equals(whole.data)).toBe(true);
        await waitFor('the queued image in the cache', () => isCached(api, waiting.id));
      },
      TEST_TIMEOUT_MS,
    );
  },
  async () => ({ env: webEnvironment(join(folder, randomUUID())) }),
);

describe.each(['embedded', 'distributed'] as const)('a cache on a disk that is too small (%s)', (mode) => {
  const diskFolder = join(folder, `disk-${mode}`);
  let disk: SmallDisk;
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);

  beforeAll(async () => {
    await mkdir(diskFolder);
    disk = mountSmallDisk(diskFolder);
    glimpse = await startGlimpse({ mode, env: webEnvironment(join(diskFolder, 'cache')) });
    if (!disk.isMounted) glimpse.running('api-gateway').forEach(limitFiles);
  });
  afterAll(async () => {
    await glimpse?.stop();
    disk.unmount();
  });

  it(
    'serves every image, keeps what fits, and lets older ones go for newer ones',
    async () => {
      const large = await remoteImage(api, 12 * MIB);
      const older = await remoteImage(api, 5 * MIB);
      const newer = await remoteImage(api, 5 * MIB);

      expect((await api.download(large.id)).equals(large.data)).toBe(true);
      expect(await isCached(api, large.id)).toBe(false);
      for (const { id, data } of [older, newer]) {
        expect((await api.download(id)).equals(data)).toBe(true);
        await waitFor('the image in the cache', () => isCached(api, id));
      }

      const kept = (await stateOf(api)).cached_images.map(({ image_id }) => image_id);
      expect(kept).toEqual(disk.isMounted ? [newer.id] : [older.id, newer.id]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'serves images that are fetched at once and fill it together',
    async () => {
      const images = await Promise.all(Array.from({ length: 4 }, () => remoteImage(api, 4 * MIB)));
      const continues = images.map(({ name }) => web.hold(name));
      const downloads = images.map(({ id }) => api.download(id));
      for (const goOn of continues) goOn();

      const all = await Promise.all(downloads);

      expect(all.map((bytes, n) => bytes.equals(images[n]!.data))).toEqual([true, true, true, true]);
    },
    TEST_TIMEOUT_MS,
  );
});
