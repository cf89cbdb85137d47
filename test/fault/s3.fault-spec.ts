import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataServer, ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { BucketStores } from '../e2e/bucket-stores.js';

/** The promise: whatever happened is over within this time. */
const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 180_000;
/** Two parts and a bit, and as much again. */
const HALF = randomBytes(12_000_000);

let stores: BucketStores;
let web: DataServer;
beforeAll(async () => {
  stores = await BucketStores.create();
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  await stores.remove();
});

eachMode(
  'an image on its way into a bucket',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);
    const partsOnTheServer = () =>
      waitFor('parts on the server', async () => (await stores.bucket.uploads()).length > 0, BOUND_MS);
    const nothingLeft = () =>
      waitFor('nothing to be left', async () => (await stores.bucket.uploads()).length === 0, BOUND_MS);

    it(
      'leaves nothing when the gateway is killed, and can be sent again',
      async () => {
        const { id } = await api.create();
        const source = new Readable({ read() {} });
        source.push(HALF);
        const answer = api.send('PUT', `/v2/images/${id}/file`, {
          headers: { 'content-type': 'application/octet-stream' },
          body: source,
        });
        answer.catch(() => undefined);
        await partsOnTheServer();

        await glimpse().kill('api-gateway');
        source.destroy();
        await glimpse().start('api-gateway');
        await glimpse().ready();

        await nothingLeft();
        await waitFor(
          'the image to be queued',
          async () => (await api.show(id)).status === 'queued',
          BOUND_MS,
        );
        await api.upload(id, HALF);
        expect((await api.download(id)).equals(HALF)).toBe(true);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'is brought there by another worker when the first is killed, which leaves nothing',
      async () => {
        const data = Buffer.concat([HALF, HALF]);
        const uri = web.serve('image', data);
        const release = web.hold('image');
        const { id } = await api.create();
        await api.expect(202, 'POST', `/v2/images/${id}/import`, {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ method: { name: 'web-download', uri } }),
        });
        await partsOnTheServer();

        await glimpse().kill('store-worker');
        release();
        await glimpse().start('store-worker');
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'active', BOUND_MS);
        await nothingLeft();
        expect((await api.download(id)).equals(data)).toBe(true);
        expect(await stores.bucket.objects()).toContain(id);
      },
      TEST_TIMEOUT_MS,
    );
  },
  async () => ({
    env: {
      ...stores.env,
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
      // Whoever is killed is missed soon.
      GLIMPSE_LEASES_INSTANCE_LEASE_MS: '3000',
      GLIMPSE_LEASES_REAPER_INTERVAL_MS: '500',
      GLIMPSE_JOBS_LEASE_MS: '3000',
      GLIMPSE_JOBS_POLL_MS: '500',
    },
  }),
);
