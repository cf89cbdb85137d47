import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { storeFiles } from './half-upload.js';

const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 120_000;
const IMAGES = 30;

eachMode('a deletion', (glimpse, mode) => {
  const api = new ImageApi(() => glimpse().url);

  async function storeImages(count: number): Promise<string[]> {
    const images = await Promise.all(Array.from({ length: count }, () => api.create()));
    await Promise.all(images.map(({ id }) => api.upload(id, randomBytes(100_000))));
    return images.map(({ id }) => id);
  }

  it(
    'is finished although the worker is killed in the middle of it',
    async () => {
      const ids = await storeImages(IMAGES);
      expect(await storeFiles(glimpse())).toHaveLength(IMAGES);

      const deletions = ids.map((id) => api.delete(id));
      await Promise.race(deletions);
      await glimpse().kill('store-worker');
      const outcomes = await Promise.allSettled(deletions);
      await glimpse().start('store-worker');
      await glimpse().ready();

      // In one process the API dies with the worker: what it had not answered is deleted again.
      const isUnanswered = (index: number) => outcomes[index]?.status === 'rejected';
      for (const [index, id] of ids.entries())
        if (isUnanswered(index)) await api.send('DELETE', `/v2/images/${id}`);
      await waitFor('the data to be gone', async () => (await storeFiles(glimpse())).length === 0, BOUND_MS);
      expect(await api.list()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  if (mode === 'distributed')
    it(
      'answers at once and happens later when no worker is running',
      async () => {
        const [id] = await storeImages(1);
        await glimpse().kill('store-worker', 'SIGTERM');

        await api.delete(id!);

        expect(await storeFiles(glimpse())).toEqual([id]);
        await glimpse().start('store-worker');
        await waitFor(
          'the data to be gone',
          async () => (await storeFiles(glimpse())).length === 0,
          BOUND_MS,
        );
      },
      TEST_TIMEOUT_MS,
    );
});
