import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type ClaimedJob,
  type ImageChange,
  type NewImage,
  ServiceError,
  imageEvents,
} from '@glimpse/contracts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';

/** What describeLocations wants of the configuration. */
export const locationsEnvironment = {
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: '/nonexistent/fast', weight: 5 },
    slow: { type: 'file', datadir: '/nonexistent/slow' },
    web: { type: 'http' },
  }),
  GLIMPSE_DEFAULT_STORE: 'slow',
  GLIMPSE_IMAGES_SHOW_MULTIPLE_LOCATIONS: 'true',
  GLIMPSE_IMAGES_HTTP_RETRIES: '1',
};

const SIZE = 1_000;
const VALUE = 'ab'.repeat(32);
const expected = { algorithm: 'sha256', value: VALUE };
const hashed = { size: SIZE, virtualSize: 2_000, checksum: 'c'.repeat(32), osHashValue: VALUE };
const outage = { code: 'STORE_UNAVAILABLE', message: 'no answer' };

export function describeLocations(registry: () => RegistryUnderTest, url: () => string): void {
  const create = (more: NewImage = {}, ctx: Caller = aCaller()) =>
    registry().images.create(ctx, aNewImage(more));
  const show = (id: string) => registry().images.get(anAdmin(), id);
  const newUrl = () => `https://example.org/${randomUUID()}`;
  const locationRows = (id: string) =>
    registry().rows('image_locations', `image_id = '${id}' AND deleted = 0`);
  const jobsOf = (id: string) => registry().rows('jobs', `image_id = '${id}' AND kind = 'delete-data'`);
  const eventsOf = async (id: string) =>
    (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);
  const taskOf = async (id: string) => (await registry().tasks.listOfImage(anAdmin(), id))[0]!;

  /** The worker's next job on the image. */
  const claim = async (id: string): Promise<ClaimedJob> => {
    const jobs = await registry().jobs.claim({
      instanceId: 'worker',
      kinds: ['probe-location', 'hash-location'],
      limit: 64,
    });
    const job = jobs.find(({ imageId }) => imageId === id);
    if (job === undefined) throw new Error(`There is no job on ${id}`);
    return job;
  };
  const complete = ({ id: jobId, leaseToken }: ClaimedJob, result: unknown) =>
    registry().jobs.complete({ jobId, leaseToken, result });
  const fail = ({ id: jobId, leaseToken }: ClaimedJob, error = outage, isRetryable = true) =>
    registry().jobs.fail({ jobId, leaseToken, error, isRetryable });
  const register = (id: string, hash: typeof expected | null, at = newUrl(), from = registry()) =>
    from.locations.add(aCaller(), id, at, hash);
  /** The image after a worker has found data behind the URL. */
  async function registered(hash: typeof expected | null, at = newUrl()): Promise<string> {
    const { id } = await create();
    await register(id, hash, at);
    await complete(await claim(id), { size: SIZE, storeId: 'web' });
    return id;
  }
  beforeEach(() => registry().database.unitOfWork.run((tx) => tx.execute('DELETE FROM jobs')));

  describe('that are registered', () => {
    it('make the image active at once, and add its hashes later', async () => {
      const at = newUrl();
      const id = await registered(null, at);
      expect(await show(id)).toMatchObject({
        status: 'active',
        size: SIZE,
        osHashAlgo: 'sha512',
        osHashValue: null,
        stores: ['web'],
      });
      expect(await taskOf(id)).toMatchObject({ status: 'processing', type: 'location_import' });

      const job = await claim(id);
      expect(job.payload).toMatchObject({ algorithm: 'sha512', expectedValue: null, location: { url: at } });
      await complete(job, hashed);

      expect(await show(id)).toMatchObject({
        status: 'active',
        checksum: hashed.checksum,
        osHashAlgo: 'sha512',
        osHashValue: VALUE,
        virtualSize: 2_000,
      });
      expect(await taskOf(id)).toMatchObject({ status: 'success', result: { image_id: id } });
      expect(await eventsOf(id)).toEqual(
        expect.arrayContaining([imageEvents.locationAdded.name, imageEvents.activated.name, 'image.updated']),
      );
    });

    it('keep the image importing until they are verified', async () => {
      const id = await registered(expected);
      expect(await show(id)).toMatchObject({ status: 'importing', size: SIZE, osHashValue: null });

      await complete(await claim(id), hashed);

      expect(await show(id)).toMatchObject({ status: 'active', osHashAlgo: 'sha256', osHashValue: VALUE });
      expect(await taskOf(id)).toMatchObject({ status: 'success' });
    });

    it('leave the image without data when theirs is something else, which is not removed', async () => {
      const id = await registered({ ...expected, value: 'AB'.repeat(32) });

      await complete(await claim(id), hashed);

      expect(await show(id)).toMatchObject({
        status: 'queued',
        size: null,
        checksum: null,
        osHashAlgo: null,
        osHashValue: null,
        stores: ['web'],
      });
      expect(await taskOf(id)).toMatchObject({ status: 'failure' });
      expect(await jobsOf(id)).toEqual([]);
    });

    it('leave the image without data when nobody can read them, after the attempts that the configuration grants', async () => {
      const id = await registered(expected);

      await fail(await claim(id));
      expect(await show(id)).toMatchObject({ status: 'importing' });
      registry().clock.pass(60_000);
      await fail(await claim(id));

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await taskOf(id)).toMatchObject({ status: 'failure', message: outage.message });
    });

    it('leave no image importing whose workers die', async () => {
      const id = await registered(expected);

      for (let attempt = 1; attempt <= 2; attempt += 1) {
        expect(await claim(id)).toMatchObject({ attempt });
        registry().clock.pass(60_000);
      }
      await expect(claim(id)).rejects.toThrow('no job');

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await taskOf(id)).toMatchObject({ status: 'failure' });
    });

    it('are kept without hashes when they need not be verified and nobody can read them', async () => {
      const id = await registered(null);

      await fail(await claim(id), outage, false);

      expect(await show(id)).toMatchObject({ status: 'active', osHashAlgo: null, osHashValue: null });
      expect(await taskOf(id)).toMatchObject({
        status: 'success',
        message: expect.stringContaining('no answer'),
      });
    });

    it('leave the image alone when there is no data', async () => {
      const { id } = await create();
      await register(id, null);

      await fail(await claim(id), { code: 'STORE_LOCATION_INVALID', message: 'nothing there' }, false);

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await locationRows(id)).toEqual([]);
      expect(await taskOf(id)).toMatchObject({ status: 'failure', message: 'nothing there' });
    });

    it('count towards the storage of the project', async () => {
      const small = await startRegistryOn(
        url(),
        { ...locationsEnvironment, GLIMPSE_LIMITS_PROJECT_STORAGE: '500' },
        registry().clock,
      );
      const { id } = await create({}, aCaller('small'));
      await small.locations.add(aCaller('small'), id, newUrl(), null);
      const job = await claim(id);
      await small.jobs.complete({
        jobId: job.id,
        leaseToken: job.leaseToken,
        result: { size: SIZE, storeId: 'web' },
      });

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await taskOf(id)).toMatchObject({
        status: 'failure',
        message: expect.stringContaining('quota'),
      });
      await small.close();
    });

    it.each<[string, (id: string) => Promise<unknown>]>([
      ['deleted', (id) => registry().images.delete(anAdmin(), id)],
      ['given data', (id) => upload(id)],
    ])('come to nothing when the image is %s meanwhile', async (_, happen) => {
      const { id } = await create();
      const taskId = await register(id, null);
      const job = await claim(id);
      await happen(id);

      await complete(job, { size: SIZE, storeId: 'web' });

      expect(await registry().tasks.get(anAdmin(), taskId)).toMatchObject({ status: 'failure' });
    });

    it('come to nothing when the image is deleted while they are verified', async () => {
      const { id } = await create();
      const taskId = await register(id, expected);
      await complete(await claim(id), { size: SIZE, storeId: 'web' });
      const job = await claim(id);
      await registry().images.delete(anAdmin(), id);

      await complete(job, hashed);

      expect(await registry().tasks.get(anAdmin(), taskId)).toMatchObject({ status: 'failure' });
      expect(await jobsOf(id)).toHaveLength(1);
    });

    it('lock the image, for one of those who register at once', async () => {
      const other = await startRegistryOn(url(), locationsEnvironment, registry().clock);
      const { id } = await create();

      const outcomes = await Promise.allSettled(
        Array.from({ length: 6 }, (_, n) => register(id, null, newUrl(), n % 2 === 0 ? registry() : other)),
      );

      const refused = outcomes.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(5);
      for (const outcome of refused)
        expect(outcome).toMatchObject({ reason: { code: 'IMAGE_STATUS_CONFLICT' } });
      expect((await show(id)).properties).toHaveProperty('os_glance_import_task');
      await complete(await claim(id), { size: SIZE, storeId: 'web' });
      await complete(await claim(id), hashed);
      expect((await show(id)).properties).not.toHaveProperty('os_glance_import_task');
      await other.close();
    });

    it('break the lock that a task of another time left', async () => {
      const { id } = await create();
      const now = registry().clock.databaseNow();
      await registry().insert('image_properties', {
        image_id: id,
        name: 'os_glance_import_task',
        value: randomUUID(),
        created_at: now,
        updated_at: now,
        deleted: 0,
      });

      expect(await register(id, null)).toEqual(expect.any(String));
    });

    it('break the lock of a task that is silent for an hour, not before', async () => {
      const { id } = await create();
      const first = await register(id, null);
      await claim(id);
      registry().clock.pass(59 * 60_000);
      await expect(register(id, null)).rejects.toMatchObject({ code: 'IMAGE_STATUS_CONFLICT' });
      registry().clock.pass(2 * 60_000);

      await register(id, null);

      expect(await registry().tasks.get(anAdmin(), first)).toMatchObject({ status: 'failure' });
    });

    it('are refused without a word of the image to those who must not know it', async () => {
      const { id } = await create();

      await expect(registry().locations.add(aCaller('p2'), id, newUrl(), null)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      await expect(registry().locations.list(aCaller(), id)).rejects.toMatchObject({
        code: 'ACTION_FORBIDDEN',
      });
      expect(await registry().locations.list(aCaller('p1', 'service', 'reader'), id)).toEqual([]);
    });
  });

  const change = (
    op: 'set' | 'replace' | 'remove',
    position: string | null,
    value?: unknown,
  ): ImageChange => ({
    target: 'locations',
    op,
    position,
    ...(value === undefined ? {} : { value }),
  });
  const found = { size: SIZE, storeId: 'web' };
  async function upload(id: string): Promise<void> {
    const uploadId = randomUUID();
    await registry().data.beginUpload({
      ctx: anAdmin(),
      id,
      instanceId: 'gateway',
      uploadId,
      storeId: 'slow',
      size: null,
    });
    const stored = storedAt(`file:///nonexistent/slow/${id}`, {
      location: { url: `file:///nonexistent/slow/${id}`, metadata: { store: 'slow' } },
    });
    await registry().data.commitUpload({ ctx: anAdmin(), id, uploadId, stored });
  }

  describe('that a PATCH changes', () => {
    const update = (id: string, ...changes: ImageChange[]) =>
      registry().images.update(anAdmin(), id, changes);
    const at = (name: string, metadata = {}) => ({ url: `https://example.org/${name}`, metadata });

    it('are asked of a worker, but not for those who may not use the answer', async () => {
      const { id } = await create();
      registry().probe.answer = found;
      registry().probe.asked.length = 0;

      await expect(
        registry().images.update(aCaller('p1', 'reader'), id, [change('set', '-', at('a'))]),
      ).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      expect(registry().probe.asked).toEqual([]);
      await update(id, change('set', '-', at('a')));

      expect(registry().probe.asked).toEqual(['https://example.org/a']);
      expect(await show(id)).toMatchObject({ status: 'active', size: SIZE, stores: ['web'] });
    });

    it('say what was wrong with the URL', async () => {
      const { id } = await create();
      registry().probe.answer = new ServiceError('STORE_LOCATION_INVALID', 'nothing there');

      await expect(update(id, change('set', '-', at('a')))).rejects.toThrow('nothing there');
    });

    it('give the change and the removal of the data in one', async () => {
      const { id } = await create();
      registry().probe.answer = found;
      await upload(id);
      await update(id, change('set', '-', at('b')));
      expect(await locationRows(id)).toHaveLength(2);

      await update(id, change('remove', '0'));

      expect(await locationRows(id)).toMatchObject([{ value: 'https://example.org/b' }]);
      const [job] = await jobsOf(id);
      expect(JSON.parse(job!.payload)).toEqual({
        imageId: id,
        locations: [{ url: `file:///nonexistent/slow/${id}`, metadata: { store: 'slow' } }],
      });
    });

    it('are rewritten with the name of their store as it is written today', async () => {
      const { id } = await create();
      await upload(id);
      await registry().database.unitOfWork.run((tx) =>
        tx.execute(`UPDATE image_locations SET meta_data = '{"backend": "slow"}' WHERE image_id = ?`, [id]),
      );
      const [location] = (await show(id)).locations!;
      expect(location).toMatchObject({ metadata: { store: 'slow' } });

      await update(id, change('replace', null, [{ ...location, metadata: { a: 'b' } }]));

      expect(await locationRows(id)).toMatchObject([{ meta_data: '{"a":"b","store":"slow"}' }]);
    });
  });

  describe('in several stores', () => {
    it('let one of two removals at once win: the last location stays', async () => {
      const { id } = await create();
      await upload(id);
      registry().probe.answer = found;
      await registry().images.update(anAdmin(), id, [
        change('set', '-', { url: 'https://example.org/x', metadata: {} }),
      ]);

      const outcomes = await Promise.allSettled(
        ['slow', 'web'].map((store) => registry().stores.removeImage(anAdmin(), store, id)),
      );

      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'LOCATION_IS_LAST' },
      });
      expect(await locationRows(id)).toHaveLength(1);
      expect(await jobsOf(id)).toHaveLength(1);
    });
  });
}
