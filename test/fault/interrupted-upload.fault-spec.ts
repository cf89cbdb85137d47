import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { storeFiles, uploadHalf } from './half-upload.js';

/** The promise: whatever happened to an upload is over within this time, with the default settings. */
const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 120_000;

const MIB = 1 << 20;
const part = randomBytes(4 * MIB);
const whole = randomBytes(5 * MIB);

async function expectRepeatable(glimpse: Glimpse, api: ImageApi, id: string): Promise<void> {
  await waitFor('the image to be queued', async () => (await api.show(id)).status === 'queued', BOUND_MS);
  expect(await storeFiles(glimpse)).toEqual([]);
  expect(await api.show(id)).toMatchObject({ size: null, checksum: null, os_hash_value: null });
  await api.upload(id, whole);
  expect((await api.download(id)).equals(whole)).toBe(true);
  await api.delete(id);
  await waitFor('the data to be gone', async () => (await storeFiles(glimpse)).length === 0, BOUND_MS);
}

eachMode('an upload that breaks off', (glimpse, mode) => {
  const api = new ImageApi(() => glimpse().url);

  it('is undone when the client disconnects', async () => {
    const { id } = await api.create();
    const upload = await uploadHalf(glimpse(), id, part);

    upload.disconnect();

    await expectRepeatable(glimpse(), api, id);
  });

  it(
    'is undone within a minute when the gateway is killed',
    async () => {
      const { id } = await api.create();
      await uploadHalf(glimpse(), id, part);

      await glimpse().kill('api-gateway');
      await glimpse().start('api-gateway');
      await glimpse().ready();

      await expectRepeatable(glimpse(), api, id);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is finished before a gateway that is told to stop ends',
    async () => {
      const { id } = await api.create();
      const upload = await uploadHalf(glimpse(), id, part);
      const [gateway] = glimpse().running('api-gateway');

      const stopped = glimpse().kill('api-gateway', 'SIGTERM');
      const status = await upload.finish(whole);
      await stopped;

      expect(status).toBe(204);
      expect(gateway?.exitCode).toBe(0);
      await glimpse().start('api-gateway');
      await glimpse().ready();
      expect((await api.download(id)).equals(Buffer.concat([part, whole]))).toBe(true);
      await api.delete(id);
      await waitFor('the data to be gone', async () => (await storeFiles(glimpse())).length === 0, BOUND_MS);
    },
    TEST_TIMEOUT_MS,
  );

  it('ends with 410 and leaves nothing when the image is deleted meanwhile', async () => {
    const { id } = await api.create();
    const upload = await uploadHalf(glimpse(), id, part);

    await api.delete(id);

    expect(await upload.finish(part)).toBe(410);
    await waitFor('the data to be gone', async () => (await storeFiles(glimpse())).length === 0);
  });

  it(
    'leaves nothing when the image is deleted and the gateway is killed',
    async () => {
      const { id } = await api.create();
      await uploadHalf(glimpse(), id, part);

      await api.delete(id);
      await glimpse().kill('api-gateway');
      await glimpse().start('api-gateway');

      await waitFor('the data to be gone', async () => (await storeFiles(glimpse())).length === 0, BOUND_MS);
    },
    TEST_TIMEOUT_MS,
  );

  if (mode === 'distributed')
    it(
      'succeeds although the registry is killed and comes back meanwhile',
      async () => {
        const { id } = await api.create();
        const upload = await uploadHalf(glimpse(), id, part);

        await glimpse().kill('registry');
        const finished = upload.finish(whole);
        await glimpse().start('registry');

        expect(await finished).toBe(204);
        expect((await api.download(id)).equals(Buffer.concat([part, whole]))).toBe(true);
      },
      TEST_TIMEOUT_MS,
    );
});
