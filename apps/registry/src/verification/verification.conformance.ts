import { randomUUID } from 'node:crypto';
import {
  type JobPayload,
  type JobResult,
  jobPayloadOf,
  type StoredData,
  type VerifyResult,
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

/** Two stores in which copies can be. */
export const verificationEnvironment = {
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: '/nonexistent/fast', weight: 10 },
    slow: { type: 'file', datadir: '/nonexistent/slow' },
  }),
  GLIMPSE_DEFAULT_STORE: 'slow',
};

const DAY_MS = 86_400_000;
const damaged: VerifyResult = { state: 'damaged', reason: 'The data is another one', found: null };
const intact: VerifyResult = { state: 'intact', reason: null, found: null };
const missing: VerifyResult = { state: 'missing', reason: 'It is not there', found: null };

/** Whether stored data is still what it was. */
export function describeVerification(registry: () => RegistryUnderTest, url: () => string): void {
  const urlIn = (store: string) => `file:///nonexistent/${store}/${randomUUID()}`;
  const addRow = (imageId: string, value: string, store: string) => {
    const now = registry().clock.databaseNow();
    return registry().insert('image_locations', {
      image_id: imageId,
      value,
      meta_data: JSON.stringify({ store }),
      status: 'active',
      created_at: now,
      updated_at: now,
      deleted: 0,
    });
  };
  /** An active image with a copy in each of the stores. */
  async function stored(stores: string[], more: Partial<StoredData> = {}): Promise<string> {
    const { id } = await registry().images.create(aCaller(), aNewImage());
    const uploadId = randomUUID();
    const [first = 'slow', ...others] = stores;
    await registry().data.beginUpload({
      ctx: aCaller(),
      id,
      instanceId: 'gateway',
      uploadId,
      storeId: first,
      size: null,
    });
    const data = storedAt(urlIn(first), more);
    await registry().data.commitUpload({
      ctx: aCaller(),
      id,
      uploadId,
      stored: { ...data, location: { ...data.location, metadata: { store: first } } },
    });
    for (const store of others) await addRow(id, urlIn(store), store);
    return id;
  }
  const copiesOf = (id: string) => registry().verification.get(aCaller(), id);
  const copyIn = async (id: string, store: string) =>
    (await copiesOf(id)).find(({ storeId }) => storeId === store);
  const show = (id: string) => registry().images.get(aCaller(), id);
  const eventsOf = async (id: string) =>
    (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);
  const jobsOf = (id: string, kind: string) =>
    registry().rows('jobs', `image_id = '${id}' AND kind = '${kind}'`);
  const removedUrlsOf = async (id: string) =>
    (await jobsOf(id, 'delete-data')).flatMap(({ payload }) =>
      jobPayloadOf('delete-data', JSON.parse(payload)).locations.map((location) => location.url),
    );

  async function claim<K extends 'verify' | 'repair'>(kind: K, from = registry()) {
    const jobs = await from.jobs.claim({ instanceId: 'worker', kinds: [kind], limit: 64 });
    return jobs.map(({ id: jobId, leaseToken, payload }) => ({
      jobId,
      leaseToken,
      payload: jobPayloadOf(kind, payload) as JobPayload<K>,
    }));
  }
  /** Lets a worker look at all copies of the image, one after the other. */
  async function verify(id: string, find: (store: string) => VerifyResult): Promise<void> {
    await registry().verification.request(anAdmin(), id);
    for (;;) {
      await registry().verificationQueue.look();
      const jobs = await claim('verify');
      if (jobs.length === 0) return;
      for (const { payload, ...job } of jobs)
        await registry().jobs.complete({ ...job, result: find(String(payload.location.metadata['store'])) });
    }
  }
  async function repair(id: string, result: JobResult<'repair'>): Promise<JobPayload<'repair'>> {
    const job = (await claim('repair')).find(({ payload }) => payload.imageId === id);
    if (job === undefined) throw new Error(`There is no repair of ${id}`);
    const { payload, ...held } = job;
    await registry().jobs.complete({ ...held, result });
    return payload;
  }
  const damagedIn = (store: string) => (where: string) => (where === store ? damaged : intact);
  beforeEach(() =>
    registry().database.unitOfWork.run(async (tx) => {
      await tx.execute('DELETE FROM jobs');
      await tx.execute('DELETE FROM location_checks');
      await tx.execute("UPDATE image_locations SET deleted = 1, status = 'deleted'");
    }),
  );

  describe('asked for', () => {
    it('reads every copy, with what is recorded of it, and tells when it was whole', async () => {
      for (const store of ['slow', 'fast']) await stored([store]);
      const id = await stored(['slow', 'fast']);

      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      const [first, ...others] = await claim('verify');

      expect(others).toEqual([]);
      expect(first?.payload).toMatchObject({
        imageId: id,
        recorded: { size: 3, osHashAlgo: 'sha512', osHashValue: 'h'.repeat(128) },
        bytesPerSecond: 33_554_432,
        missingHashes: null,
        witnesses: [{ metadata: { store: 'slow' } }],
      });
      const { jobId, leaseToken } = first!;
      await registry().jobs.complete({ jobId, leaseToken, result: intact });
      await verify(id, () => intact);
      const now = new Date(registry().clock.now()).toISOString();
      expect(await copiesOf(id)).toEqual([
        expect.objectContaining({ storeId: 'slow', state: 'intact', isInService: true, intactAt: now }),
        expect.objectContaining({ storeId: 'fast', state: 'intact', isQueued: false, checkedAt: now }),
      ]);
      expect(await eventsOf(id)).toContain('image.copy.verified');
    });

    it('by many at once, while the queue notes the same copies, fails for none of them', async () => {
      const id = await stored(['slow', 'fast']);
      const other = await startRegistryOn(url(), verificationEnvironment, registry().clock);

      await Promise.all(
        Array.from({ length: 6 }, (_, index) => {
          const one = index % 2 === 0 ? registry() : other;
          return index % 3 === 0 ? one.verificationQueue.look() : one.verification.request(anAdmin(), id);
        }),
      );

      expect(await copiesOf(id)).toMatchObject([{ isQueued: true }, { isQueued: true }]);
      await other.close();
    });

    it('by a reader that found nothing there looks at what was not looked at lately', async () => {
      const id = await stored(['slow']);
      const isQueued = async () => (await copyIn(id, 'slow'))?.isQueued;

      await registry().verification.suspect(id);
      expect(await isQueued()).toBe(true);
      await verify(id, () => intact);
      await registry().verification.suspect(id);
      expect(await isQueued()).toBe(false);
      registry().clock.pass(2 * 3_600_000);
      await registry().verification.suspect(id);
      await registry().verification.suspect('no image');

      expect(await isQueued()).toBe(true);
    });

    it('is for administrators, and of data that is there', async () => {
      const id = await stored(['slow']);
      const { id: empty } = await registry().images.create(aCaller(), aNewImage());

      const refusals = [
        { work: () => registry().verification.request(aCaller(), id), code: 'ACTION_FORBIDDEN' },
        { work: () => registry().verification.get(aCaller('p2'), id), code: 'IMAGE_NOT_FOUND' },
        { work: () => registry().verification.request(anAdmin(), empty), code: 'IMAGE_STATUS_CONFLICT' },
      ];

      for (const { work, code } of refusals) await expect(work()).rejects.toMatchObject({ code });
    });
  });

  describe('in turn', () => {
    it('comes to every copy within the interval, the longest waiting first, and only so many at once', async () => {
      const ids = [await stored(['slow']), await stored(['slow']), await stored(['slow'])];
      await registry().verificationQueue.look();
      expect(await registry().rows('location_checks')).toHaveLength(3);
      expect(await claim('verify')).toEqual([]);
      registry().clock.pass(30 * DAY_MS);
      const waiting = (await registry().rows('location_checks')).toSorted(
        (one, other) => one.turn_at - other.turn_at,
      );

      const order: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        await registry().verificationQueue.look();
        await registry().verificationQueue.look();
        for (const { payload, ...job } of await claim('verify')) {
          order.push(payload.imageId);
          await registry().jobs.complete({ ...job, result: intact });
        }
      }

      expect(order).toEqual(waiting.map(({ image_id: id }) => id));
      expect(order.toSorted()).toEqual(ids.toSorted());
    });

    it('hands a copy out once however many registries look', async () => {
      await stored(['slow']);
      await registry().verificationQueue.look();
      registry().clock.pass(31 * DAY_MS);
      const other = await startRegistryOn(url(), verificationEnvironment, registry().clock);

      await Promise.all([
        registry().verificationQueue.look(),
        other.verificationQueue.look(),
        registry().verificationQueue.look(),
        other.verificationQueue.look(),
      ]);

      expect(await registry().rows('jobs', "kind = 'verify'")).toHaveLength(1);
      await other.close();
    });

    it('is forgotten with the data', async () => {
      const id = await stored(['slow']);
      await registry().verificationQueue.look();
      await registry().images.delete(aCaller(), id);
      registry().clock.pass(31 * DAY_MS);

      await registry().verificationQueue.look();

      expect(await registry().rows('location_checks')).toEqual([]);
      expect(await claim('verify')).toEqual([]);
    });
  });

  describe('of a damaged copy', () => {
    it('takes it out of service, says so, and has it repaired from another store', async () => {
      const id = await stored(['slow', 'fast']);
      const before = await show(id);
      const slowUrl = (await registry().rows('image_locations', `image_id = '${id}'`))[0]!.value;

      await verify(id, damagedIn('slow'));

      const ticket = await registry().data.openDownload(aCaller(), id);
      const shown = await show(id);
      expect(ticket.locations.map(({ metadata }) => metadata['store'])).toEqual(['fast']);
      expect(shown).toMatchObject({
        status: 'active',
        stores: ['fast'],
        properties: { os_glance_damaged_stores: 'slow' },
      });
      expect(shown.revision).not.toBe(before.revision);
      expect(await copyIn(id, 'slow')).toMatchObject({
        state: 'damaged',
        isInService: false,
        reason: 'The data is another one',
        isQueued: true,
      });
      const good = { url: urlIn('slow'), metadata: { store: 'slow' } };
      const payload = await repair(id, { outcome: 'repaired', location: good, suspects: [] });
      expect(payload.sources.map(({ metadata }) => metadata['store'])).toEqual(['fast']);
      expect(payload.location.url).toBe(slowUrl);
      expect(await show(id)).toMatchObject({ stores: ['fast', 'slow'], properties: {} });
      expect((await show(id)).properties).not.toHaveProperty('os_glance_damaged_stores');
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact', isInService: true, isQueued: false });
      expect(await removedUrlsOf(id)).toEqual([slowUrl]);
      expect(await eventsOf(id)).toEqual(
        expect.arrayContaining(['image.copy.verified', 'image.copy.repaired', 'image.updated']),
      );
    });

    it('that is the only one gives the data to nobody, and deletes nothing', async () => {
      const id = await stored(['slow']);

      await verify(id, () => damaged);

      const download = registry().data.openDownload(aCaller(), id);
      await expect(download).rejects.toMatchObject({ code: 'IMAGE_DATA_DAMAGED' });
      expect(await show(id)).toMatchObject({
        status: 'active',
        stores: [],
        properties: { os_glance_damaged_stores: 'slow' },
      });
      expect(await jobsOf(id, 'repair')).toEqual([]);
      expect(await removedUrlsOf(id)).toEqual([]);
      await registry().images.delete(aCaller(), id);
      expect(await removedUrlsOf(id)).toHaveLength(1);
    });

    it('ends when it is whole again, from which the others are repaired next', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('fast'));
      await repair(id, { outcome: 'not-repaired', reason: 'None is good', suspects: [] });
      await verify(id, (store) => (store === 'slow' ? missing : damaged));
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'missing', isInService: false });

      registry().clock.pass(2 * 3_600_000);
      await registry().verificationQueue.look();
      const [job] = await claim('verify');
      await registry().jobs.complete({ ...job!, result: intact });

      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact', isInService: true });
      expect(await copyIn(id, 'fast')).toMatchObject({ isInService: false, isQueued: true });
      expect((await registry().data.openDownload(aCaller(), id)).locations).toHaveLength(1);
    });

    it('keeps the last good copy, and lets the damaged one be removed by hand', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));

      const remove = (store: string) => registry().stores.removeImage(anAdmin(), store, id);
      await expect(remove('fast')).rejects.toMatchObject({ code: 'LOCATION_IS_LAST' });
      await remove('slow');
      expect(await show(id)).toMatchObject({ stores: ['fast'], properties: {} });
    });

    it('that a repair replaced meanwhile removes what the repair wrote', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      await registry().stores.removeImage(anAdmin(), 'slow', id);
      const written = { url: urlIn('slow'), metadata: { store: 'slow' } };

      await repair(id, { outcome: 'repaired', location: written, suspects: [] });

      expect(await show(id)).toMatchObject({ stores: ['fast'] });
      expect(await removedUrlsOf(id)).toContain(written.url);
    });

    it('looks at the copies that a repair could not use', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      const [source] = (await registry().data.openDownload(aCaller(), id)).locations;

      await repair(id, { outcome: 'not-repaired', reason: 'None is good', suspects: [source!.url] });

      expect(await copyIn(id, 'fast')).toMatchObject({ isQueued: true });
      expect(await copyIn(id, 'slow')).toMatchObject({ isInService: false, isQueued: false });
    });

    it('removes what a repair left that was given up', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const [job] = await claim('repair');
        await registry().jobs.fail({
          jobId: job!.jobId,
          leaseToken: job!.leaseToken,
          error: { code: 'STORE_UNAVAILABLE', message: 'no answer' },
          isRetryable: true,
        });
        registry().clock.pass(60_000);
      }

      const [cleanUp] = await jobsOf(id, 'delete-data');

      const { leftovers } = jobPayloadOf('delete-data', JSON.parse(cleanUp!.payload));
      expect(leftovers).toHaveLength(3);
      expect(leftovers?.[0]?.key).toMatch(new RegExp(`^${id}-`));
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'damaged', isQueued: false });
    });
  });

  describe('is no false alarm', () => {
    it('where the store does not answer', async () => {
      const id = await stored(['slow']);
      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const [job] = await claim('verify');
        await registry().jobs.fail({
          jobId: job!.jobId,
          leaseToken: job!.leaseToken,
          error: { code: 'STORE_UNAVAILABLE', message: 'no answer' },
          isRetryable: true,
        });
        registry().clock.pass(60_000);
      }

      expect(await copyIn(id, 'slow')).toMatchObject({
        state: 'unreachable',
        isInService: true,
        reason: 'no answer',
      });
      expect((await registry().data.openDownload(aCaller(), id)).locations).toHaveLength(1);
    });

    it('where the image was deleted, or its data is another one, meanwhile', async () => {
      const gone = await stored(['slow']);
      const other = await stored(['slow']);
      const lookAt = async (id: string, meanwhile: () => Promise<unknown>) => {
        await registry().verification.request(anAdmin(), id);
        await registry().verificationQueue.look();
        const [job] = await claim('verify');
        await meanwhile();
        await registry().jobs.complete({ jobId: job!.jobId, leaseToken: job!.leaseToken, result: damaged });
      };

      await lookAt(gone, () => registry().images.delete(aCaller(), gone));
      await lookAt(other, () =>
        registry().database.unitOfWork.run((tx) =>
          tx.execute('UPDATE images SET os_hash_value = ? WHERE id = ?', ['e'.repeat(128), other]),
        ),
      );

      expect(await registry().rows('location_checks', 'damaged_at IS NOT NULL')).toEqual([]);
      expect(await copyIn(other, 'slow')).toMatchObject({ isInService: true, isQueued: true });
    });

    it('when the worker died: another one looks', async () => {
      const id = await stored(['slow']);
      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      const [first] = await claim('verify');
      registry().clock.pass(60_000);

      const [second] = await claim('verify');

      expect(second?.jobId).toBe(first?.jobId);
      const late = await registry().jobs.complete({
        jobId: first!.jobId,
        leaseToken: first!.leaseToken,
        result: damaged,
      });
      expect(late).toEqual({ outcome: 'lost' });
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'unverified', isInService: true });
    });
  });

  describe('of data without a hash', () => {
    const found = { size: 3, checksum: 'd'.repeat(32), osHashAlgo: 'sha512', osHashValue: 'f'.repeat(128) };
    const none = { checksum: null, osHashAlgo: null, osHashValue: null };

    it('records one when it is asked for', async () => {
      const id = await stored(['slow'], none);

      await verify(id, () => ({ state: 'unhashed', reason: null, found }));

      expect(await show(id)).toMatchObject(found);
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact' });
    });

    it('computes none in turn, unless the configuration says so', async () => {
      const id = await stored(['slow'], none);
      await registry().verificationQueue.look();
      registry().clock.pass(31 * DAY_MS);

      await registry().verificationQueue.look();

      const [job] = await claim('verify');
      expect(job?.payload).toMatchObject({ imageId: id, missingHashes: null });
    });
  });
}
