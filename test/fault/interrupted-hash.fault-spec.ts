import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataServer, ImageApi, eachMode, waitFor } from '@glimpse/testing';

const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'glimpse-hash-'));
const stores = {
  disk: { type: 'file', datadir: join(folder, 'disk') },
  web: { type: 'http', allow_private_addresses: true },
};
let web: DataServer;
beforeAll(async () => {
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  await rm(folder, { recursive: true });
});

eachMode(
  'a location that is being verified',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);

    /** An image whose data a worker reads and does not get to the end of. */
    async function importing(name: string, value?: string) {
      const data = randomBytes(3_000_000);
      const url = web.serve(name, data);
      const release = web.hold(name);
      const { id } = await api.create();
      const os_hash_value = value ?? createHash('sha256').update(data).digest('hex');
      await api.expect(202, 'POST', `/v2/images/${id}/locations`, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ url, validation_data: { os_hash_algo: 'sha256', os_hash_value } }),
      });
      await waitFor('a worker to read', () => web.seen.includes(`GET /${name}`), BOUND_MS);
      return { id, data, release };
    }

    it(
      'is verified by another worker when the first is killed in the middle',
      async () => {
        const { id, data, release } = await importing('good');

        await glimpse().kill('store-worker');
        release();
        await glimpse().start('store-worker');
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'active', BOUND_MS);
        expect((await api.download(id)).equals(data)).toBe(true);
        expect(web.seen.filter((request) => request === 'GET /good').length).toBeGreaterThan(1);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'does not stay so when every worker dies of it',
      async () => {
        const { id } = await importing('deadly');

        await glimpse().kill('store-worker');
        await glimpse().start('store-worker');
        await waitFor(
          'the second worker to read',
          () => web.seen.filter((request) => request === 'GET /deadly').length > 1,
          BOUND_MS,
        );
        await glimpse().kill('store-worker');
        await glimpse().start('store-worker');
        await glimpse().ready();

        await waitFor(
          'the image to be queued',
          async () => (await api.show(id)).status === 'queued',
          BOUND_MS,
        );
        expect(await api.show(id)).toMatchObject({ os_hash_value: null, size: null });
      },
      TEST_TIMEOUT_MS,
    );
  },
  {
    env: {
      GLIMPSE_STORES: JSON.stringify(stores),
      GLIMPSE_DEFAULT_STORE: 'disk',
      GLIMPSE_IMAGES_HTTP_RETRIES: '1',
      GLIMPSE_JOBS_LEASE_MS: '1000',
      GLIMPSE_JOBS_POLL_MS: '200',
    },
  },
);
