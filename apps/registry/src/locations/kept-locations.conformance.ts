import { randomUUID } from 'node:crypto';
import { type Caller, type ImageChange, imageEvents } from '@glimpse/contracts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  aQuery,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';
import { locationsEnvironment } from './locations.conformance.js';

const SIZE = 1_000;
const expected = { algorithm: 'sha256', value: 'ab'.repeat(32) };
const other = { size: SIZE, virtualSize: null, checksum: 'c'.repeat(32), osHashValue: 'cd'.repeat(32) };

/** Locations that an image keeps although its data is not there, that older services wrote, or that several images have. */
export function describeKeptLocations(registry: () => RegistryUnderTest, url: () => string): void {
  const create = () => registry().images.create(aCaller(), aNewImage());
  const show = (id: string) => registry().images.get(anAdmin(), id);
  const newUrl = () => `https://example.org/${randomUUID()}`;
  const pathIn = (store: string) => `file:///nonexistent/${store}/${randomUUID()}`;
  const urlsOf = async (id: string) =>
    (await registry().rows('image_locations', `image_id = '${id}' AND deleted = 0`)).map(
      ({ value }) => value,
    );
  const removedDataOf = async (id: string) =>
    (await registry().rows('jobs', `image_id = '${id}' AND kind = 'delete-data'`)).flatMap(
      ({ payload }) => (JSON.parse(payload) as { locations: unknown[] }).locations,
    );
  const eventsOf = async (id: string) =>
    (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);

  /** Lets a worker do the next step of the image's task. */
  async function work(id: string, result: unknown): Promise<void> {
    const kinds = ['probe-location', 'hash-location', 'import'] as const;
    const jobs = await registry().jobs.claim({ instanceId: 'worker', kinds: [...kinds], limit: 64 });
    const job = jobs.find(({ imageId }) => imageId === id);
    if (job === undefined) throw new Error(`There is no job on ${id}`);
    await registry().jobs.complete({ jobId: job.id, leaseToken: job.leaseToken, result });
  }
  async function register(id: string, at: string, hash: typeof expected | null, ctx: Caller = aCaller()) {
    await registry().locations.add(ctx, id, at, hash);
    await work(id, { size: SIZE, storeId: 'web' });
  }
  /** An image whose location was found to hold something else. */
  async function refuted(at: string, ctx?: Caller): Promise<string> {
    const { id } = await create();
    await register(id, at, expected, ctx);
    await work(id, other);
    return id;
  }
  const beginUpload = async (id: string): Promise<string> => {
    const uploadId = randomUUID();
    await registry().data.beginUpload({
      ctx: anAdmin(),
      id,
      instanceId: 'gateway',
      uploadId,
      storeId: 'slow',
      size: null,
    });
    return uploadId;
  };
  async function upload(id: string, at: string): Promise<void> {
    const uploadId = await beginUpload(id);
    await registry().data.commitUpload({ ctx: anAdmin(), id, uploadId, stored: storedAt(at) });
  }
  async function importFromTheWeb(id: string, at: string): Promise<void> {
    await registry().imports.begin(aCaller(), id, {
      method: { name: 'web-download', uri: newUrl() },
      stores: null,
      headerStore: null,
      allStores: false,
      allStoresMustSucceed: true,
      body: {},
    });
    const location = { url: at, metadata: { store: 'slow' } };
    await work(id, {
      data: { ...other, osHashAlgo: 'sha512' },
      stored: [{ storeId: 'slow', location }],
      failed: [],
    });
  }
  const patch = (id: string, change: Omit<Extract<ImageChange, { target: 'locations' }>, 'target'>) =>
    registry().images.update(anAdmin(), id, [{ target: 'locations', ...change }]);
  const addRow = (imageId: string, value: string, metadata = '{}') => {
    const now = registry().clock.databaseNow();
    return registry().insert('image_locations', {
      image_id: imageId,
      value,
      meta_data: metadata,
      status: 'active',
      created_at: now,
      updated_at: now,
      deleted: 0,
    });
  };
  /** An image that has its data at the URLs, as Glance recorded it. */
  async function adopted(...urls: string[]): Promise<string> {
    const { id } = await create();
    await upload(id, urls[0]!);
    for (const more of urls.slice(1)) await addRow(id, more);
    return id;
  }
  beforeEach(() => registry().database.unitOfWork.run((tx) => tx.execute('DELETE FROM jobs')));

  describe('that failed their verification', () => {
    it('stay where they are on the web, and are served to nobody', async () => {
      const at = newUrl();

      const id = await refuted(at);

      expect(await show(id)).toMatchObject({
        status: 'queued',
        checksum: null,
        osHashAlgo: null,
        osHashValue: null,
        stores: ['web'],
      });
      expect(await urlsOf(id)).toEqual([at]);
      expect(await registry().data.openDownload(anAdmin(), id)).toMatchObject({
        status: 'queued',
        locations: [],
      });
    });

    it('are forgotten where they are elsewhere', async () => {
      const id = await refuted(`vault://${randomUUID()}`, aCaller('p1', 'member', 'service'));

      expect(await show(id)).toMatchObject({ status: 'queued', stores: [] });
      expect(await removedDataOf(id)).toEqual([]);
      expect(await eventsOf(id)).toContain(imageEvents.locationRemoved.name);
    });

    it('survive an upload that comes to nothing', async () => {
      const at = newUrl();
      const id = await refuted(at);
      const uploadId = await beginUpload(id);
      expect((await registry().data.openDownload(anAdmin(), id)).locations).toEqual([]);

      await registry().data.abortUpload({ ctx: anAdmin(), id, uploadId, reason: 'gone' });

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await urlsOf(id)).toEqual([at]);
    });

    const found = { size: SIZE, storeId: 'web' };
    it.each<[string, (id: string, at: string) => Promise<unknown>]>([
      ['an upload', upload],
      ['an import', importFromTheWeb],
      ['a location that is taken on trust', (id, at) => register(id, at, null)],
      ['a location that is verified', (id, at) => register(id, at, expected)],
      [
        'a PATCH that adds',
        (id, at) => patch(id, { op: 'set', position: '-', value: { url: at, metadata: {} } }),
      ],
      [
        'a PATCH that replaces',
        (id, at) => patch(id, { op: 'replace', position: null, value: [{ url: at, metadata: {} }] }),
      ],
    ])('give way to %s', async (_, bring) => {
      registry().probe.answer = found;
      const id = await refuted(newUrl());
      const at = newUrl();

      await bring(id, at);

      expect(await urlsOf(id)).toEqual([at]);
      expect(await removedDataOf(id)).toEqual([]);
      expect(await eventsOf(id)).toContain(imageEvents.locationRemoved.name);
    });

    it('give way to the same URL with the right hash, and to another one that is wrong too', async () => {
      const at = newUrl();
      const id = await refuted(at);
      const wrong = newUrl();
      await register(id, wrong, expected);
      await work(id, other);
      expect(await urlsOf(id)).toEqual([wrong]);

      await register(id, at, { ...expected, value: other.osHashValue });
      await work(id, other);

      expect(await show(id)).toMatchObject({ status: 'active', osHashValue: other.osHashValue });
      expect(await urlsOf(id)).toEqual([at]);
    });

    it('can not be removed, nor is a change lost that is refused', async () => {
      const at = newUrl();
      const id = await refuted(at);

      await expect(patch(id, { op: 'remove', position: '0' })).rejects.toMatchObject({
        code: 'IMAGE_STATUS_CONFLICT',
      });

      expect(await urlsOf(id)).toEqual([at]);
    });
  });

  describe('that are hashed when the image is active already', () => {
    it('promise no hash any more when they are not the image’s any more', async () => {
      registry().probe.answer = { size: SIZE, storeId: 'web' };
      const { id } = await create();
      await register(id, newUrl(), null);
      expect(await show(id)).toMatchObject({ status: 'active', osHashAlgo: 'sha512', osHashValue: null });
      await patch(id, { op: 'set', position: '-', value: { url: newUrl(), metadata: {} } });
      await patch(id, { op: 'remove', position: '0' });

      await work(id, other);

      expect(await show(id)).toMatchObject({ status: 'active', osHashAlgo: null, osHashValue: null });
    });
  });

  describe('that name no store', () => {
    it('are shown in the store that their URL is of, the best first; their rows stay as they are', async () => {
      const id = await adopted(newUrl(), pathIn('slow'), pathIn('fast'), 'tape://x');

      const image = await show(id);

      expect(image.stores).toEqual(['fast', 'web', 'slow']);
      expect(image.locations!.map(({ metadata }) => metadata)).toEqual([
        { store: 'fast' },
        { store: 'web' },
        { store: 'slow' },
        {},
      ]);
      const { images } = await registry().lists.list(anAdmin(), aQuery({ limit: 1_000 }));
      expect(images.find((listed) => listed.id === id)).toMatchObject({ stores: image.stores });
      await registry().images.update(anAdmin(), id, [
        { target: 'attribute', op: 'replace', name: 'name', value: 'b' },
      ]);
      const rows = await registry().rows('image_locations', `image_id = '${id}'`);
      expect(new Set(rows.map((row) => row.meta_data))).toEqual(new Set(['{}']));
    });

    it('can be removed from their store', async () => {
      const slow = pathIn('slow');
      const id = await adopted(slow, pathIn('fast'));

      await registry().stores.removeImage(anAdmin(), 'slow', id);

      expect(await removedDataOf(id)).toEqual([{ url: slow, metadata: { store: 'slow' } }]);
      expect(await show(id)).toMatchObject({ stores: ['fast'] });
    });
  });

  describe('that several images have', () => {
    const remove = (id: string, from = registry()) => from.images.delete(anAdmin(), id);

    it('keep their data until the last of them is gone', async () => {
      const [shared, own] = [pathIn('slow'), pathIn('slow')];
      const first = await adopted(shared, own);
      const second = await adopted(shared);

      await remove(first);
      expect(await removedDataOf(first)).toEqual([expect.objectContaining({ url: own })]);
      await remove(second);

      expect(await removedDataOf(second)).toEqual([expect.objectContaining({ url: shared })]);
    });

    it('keep it too when one image is only taken out of the store', async () => {
      const shared = pathIn('slow');
      const first = await adopted(shared, pathIn('fast'));
      await adopted(shared);

      await registry().stores.removeImage(anAdmin(), 'slow', first);

      expect(await removedDataOf(first)).toEqual([]);
      expect(await show(first)).toMatchObject({ stores: ['fast'] });
    });

    it('keep it for an image that can still be restored, until its time is over', async () => {
      const delaying = await startRegistryOn(
        url(),
        { ...locationsEnvironment, GLIMPSE_IMAGES_DELAYED_DELETE: 'true' },
        registry().clock,
      );
      const shared = pathIn('slow');
      const restorable = await adopted(shared);
      const second = await adopted(shared);
      await remove(restorable, delaying);

      await remove(second);
      expect(await removedDataOf(second)).toEqual([]);
      registry().clock.pass(delaying.config.images.scrubTimeMs + 1_000);
      await delaying.scrubber.look();

      expect(await removedDataOf(restorable)).toEqual([expect.objectContaining({ url: shared })]);
      await delaying.close();
    });

    it.each([
      ['with credentials', (id: string) => `s3://key:se/cr@et@s3.example.org/bucket/${id}`],
      ['by https', (id: string) => `s3+https://S3.example.org/bucket/${id}`],
    ])('keep it where another one names it %s', async (_, alias) => {
      const { id } = await create();
      const own = `s3+http://s3.example.org/bucket/${id}`;
      await addRow(id, own, '{}');
      const thief = await adopted(alias(id), `s3+https://s3.example.org/other/${id}`);

      await remove(thief);

      expect(await removedDataOf(thief)).toEqual([
        expect.objectContaining({ url: `s3+https://s3.example.org/other/${id}` }),
      ]);
      expect(await urlsOf(id)).toEqual([own]);
    });

    it('keep it when one image has it twice and loses one of them', async () => {
      const shared = pathIn('slow');
      const id = await adopted(shared);
      await addRow(id, shared, '{"note": "again"}');

      await patch(id, { op: 'remove', position: '1' });

      expect(await removedDataOf(id)).toEqual([]);
      expect(await urlsOf(id)).toEqual([shared]);
    });
  });
}
