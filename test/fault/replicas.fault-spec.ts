import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, cutConnections, startGlimpse, waitFor } from '@glimpse/testing';
import { storeFiles } from './half-upload.js';

const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 120_000;
/** A request takes at most as long as its RPC may take, and a moment. */
const LONGEST_REQUEST_MS = 15_000;

describe('two replicas of each service', () => {
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);

  beforeAll(async () => {
    glimpse = await startGlimpse({ mode: 'distributed', replicas: 2 });
  });
  afterAll(() => glimpse?.stop(), 60_000);

  it('share the work', async () => {
    const images = await Promise.all(Array.from({ length: 20 }, () => api.create()));

    for (const url of glimpse.urls) {
      const other = new ImageApi(() => url);
      for (const { id } of images) expect((await other.show(id)).status).toBe('queued');
    }
  });

  it(
    'answer every request in bounded time while the bus loses its connections',
    async () => {
      const { id } = await api.create();
      const started = performance.now();
      const requests = Array.from({ length: 200 }, () => api.send('GET', `/v2/images/${id}`));

      const cut = await cutConnections(glimpse.env['GLIMPSE_BUS_URL']!);

      const statuses = new Set((await Promise.all(requests)).map(({ status }) => status));
      expect(cut).toBeGreaterThan(0);
      expect(performance.now() - started).toBeLessThan(LONGEST_REQUEST_MS);
      for (const status of statuses) expect([200, 503]).toContain(status);
      await waitFor(
        'the services to be connected again',
        async () => (await api.send('GET', `/v2/images/${id}`)).status === 200,
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'go on when one of each is killed',
    async () => {
      const data = randomBytes(300_000);
      const before = await api.create();
      await api.upload(before.id, data);

      for (const service of ['registry', 'store-worker', 'api-gateway'] as const) await glimpse.kill(service);

      expect((await api.download(before.id)).equals(data)).toBe(true);
      const after = await api.create();
      await api.upload(after.id, data);
      await api.delete(before.id);
      await api.delete(after.id);
      await waitFor('the data to be gone', async () => (await storeFiles(glimpse)).length === 0, BOUND_MS);
    },
    TEST_TIMEOUT_MS,
  );
});
