import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataServer, ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { filesIn } from './half-upload.js';

/** The promise: whatever happened is over within this time; `npm run chaos` asks it of the default settings. */
const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 180_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const OCTETS = { 'content-type': 'application/octet-stream' };

const folder = mkdtempSync(join(tmpdir(), 'glimpse-import-'));
const stores = {
  one: { type: 'file', datadir: join(folder, 'one') },
  two: { type: 'file', datadir: join(folder, 'two') },
};
const staging = join(folder, 'staging');
const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex');

let web: DataServer;
beforeAll(async () => {
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  await rm(folder, { recursive: true });
});

eachMode(
  'an import',
  (glimpse, mode) => {
    const api = new ImageApi(() => glimpse().url);
    const importIt = (id: string, method: object) =>
      api.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method, all_stores: true }),
      });
    const filesOf = async (id: string) =>
      (await Promise.all([filesIn(stores.one.datadir), filesIn(stores.two.datadir)]))
        .flat()
        .filter((name) => name.includes(id));
    const timesRead = (name: string) => web.seen.filter((seen) => seen === `GET /${name}`).length;

    /** An image whose data a worker reads and does not get to the end of. */
    async function importing(name: string) {
      const data = randomBytes(6_000_000);
      const uri = web.serve(name, data);
      const release = web.hold(name);
      const { id } = await api.create();
      await importIt(id, { name: 'web-download', uri });
      await waitFor('a worker to write', async () => (await filesOf(id)).length === 2, BOUND_MS);
      return { id, data, release };
    }

    it(
      'is finished by another worker when the first is killed in the middle',
      async () => {
        const { id, data, release } = await importing(`good-${mode}`);

        await glimpse().kill('store-worker');
        release();
        await glimpse().start('store-worker');
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'active', BOUND_MS);
        expect(sha512(await api.download(id))).toBe(sha512(data));
        expect(await api.show(id)).toMatchObject({ stores: 'one,two', os_glance_failed_import: '' });
        expect(await filesOf(id)).toEqual([id, id]);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'ends, and leaves nothing, when every worker dies of it',
      async () => {
        const { id, release } = await importing(`deadly-${mode}`);

        for (let reads = 1; reads <= 2; reads++) {
          await waitFor('a worker to read', () => timesRead(`deadly-${mode}`) >= reads, BOUND_MS);
          await glimpse().kill('store-worker');
          await glimpse().start('store-worker');
        }
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'queued', BOUND_MS);
        expect(await api.show(id)).toMatchObject({ os_glance_failed_import: 'one,two' });
        expect(await filesOf(id)).toEqual([]);
        release();
        await api.upload(id, 'data');
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'can be begun anew within a minute when the gateway is killed while data is staged',
      async () => {
        const { id } = await api.create();
        const sent = request(`${glimpse().url}/v2/images/${id}/stage`, { method: 'PUT', headers: OCTETS });
        sent.on('error', () => undefined);
        sent.write(randomBytes(4_000_000));
        await waitFor('something staged', async () => (await filesIn(staging)).length === 1);

        await glimpse().kill('api-gateway');
        await glimpse().start('api-gateway');
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'queued', BOUND_MS);
        expect(await filesIn(staging)).toEqual([]);
        const data = randomBytes(1_000_000);
        await api.expect(204, 'PUT', `/v2/images/${id}/stage`, { headers: OCTETS, body: data });
        await importIt(id, { name: 'glance-direct' });
        await waitFor('the image', async () => (await api.show(id)).status === 'active', BOUND_MS);
        await waitFor('the staged data to be gone', async () => (await filesIn(staging)).length === 0);
      },
      TEST_TIMEOUT_MS,
    );
  },
  {
    env: {
      GLIMPSE_STORES: JSON.stringify(stores),
      GLIMPSE_DEFAULT_STORE: 'one',
      GLIMPSE_STAGING: JSON.stringify({ type: 'file', datadir: staging }),
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
      GLIMPSE_IMPORT_MAX_ATTEMPTS: '2',
      // Whoever is killed is missed soon.
      GLIMPSE_LEASES_INSTANCE_LEASE_MS: '3000',
      GLIMPSE_LEASES_REAPER_INTERVAL_MS: '500',
      GLIMPSE_JOBS_LEASE_MS: '3000',
      GLIMPSE_JOBS_POLL_MS: '500',
    },
  },
);
