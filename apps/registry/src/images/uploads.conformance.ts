import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';

const LEASE_MS = 20_000;

export function describeUploads(registry: () => RegistryUnderTest, url: () => string): void {
  const ctx = aCaller('p1');
  const create = (more = {}) => registry().images.create(ctx, aNewImage(more));
  const statusOf = async (id: string) => (await registry().images.get(ctx, id)).status;
  const anUpload = (id: string, more = {}) => ({
    ctx,
    id,
    instanceId: 'gateway-1',
    uploadId: randomUUID(),
    storeId: 'file',
    size: null,
    ...more,
  });
  const begin = async (id: string, more = {}) => {
    const upload = anUpload(id, more);
    await registry().data.beginUpload(upload);
    return { ...upload, stored: storedAt(`file:///${id}`), reason: 'gone' };
  };
  /** Passes time in steps in which the registry looks around, as it does in life. */
  const passTime = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5_000) {
      registry().clock.pass(5_000);
      await registry().reaper.look();
    }
  };
  const jobsOf = (id: string) => registry().rows('jobs', `image_id = '${id}'`);
  const runJobs = async () => {
    const jobs = await registry().jobs.claim({ instanceId: 'worker-1', kinds: ['delete-data'], limit: 10 });
    for (const { id, leaseToken } of jobs) await registry().jobs.complete({ jobId: id, leaseToken });
    return jobs;
  };

  describe('an upload', () => {
    it('makes the image active with everything that was measured', async () => {
      const image = await create();
      const upload = await begin(image.id);
      expect(await statusOf(image.id)).toBe('saving');

      await registry().data.commitUpload(upload);

      expect(await registry().images.get(ctx, image.id)).toMatchObject({
        status: 'active',
        size: 3,
        checksum: 'c'.repeat(32),
        osHashAlgo: 'sha512',
        stores: [],
      });
      expect(await registry().data.openDownload(ctx, image.id)).toEqual({
        imageId: image.id,
        status: 'active',
        owner: 'p1',
        size: 3,
        checksum: 'c'.repeat(32),
        osHashAlgo: 'sha512',
        osHashValue: 'h'.repeat(128),
        locations: [{ url: `file:///${image.id}`, metadata: {} }],
      });
    });

    it('can be committed again, with no other effect', async () => {
      const image = await create();
      const upload = await begin(image.id);

      await registry().data.commitUpload(upload);
      await registry().data.commitUpload(upload);
      await registry().data.abortUpload(upload);

      expect(await statusOf(image.id)).toBe('active');
      expect(await registry().rows('image_locations', `image_id = '${image.id}'`)).toHaveLength(1);
    });

    it('is begun once when many try, in two registries', async () => {
      const other = await startRegistryOn(url());
      const image = await create();

      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 === 0 ? registry() : other).data.beginUpload(anUpload(image.id)),
        ),
      );

      const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refusals).toHaveLength(7);
      for (const { reason } of refusals)
        expect(['IMAGE_LOST_RACE', 'IMAGE_STATUS_CONFLICT']).toContain(Reflect.get(Object(reason), 'code'));
      await other.close();
    });

    it('gets the same ticket when its beginning is repeated', async () => {
      const image = await create();
      const upload = anUpload(image.id);

      const first = await registry().data.beginUpload(upload);

      expect(await registry().data.beginUpload(upload)).toEqual(first);
    });

    it('that was aborted leaves the image as it was, and can be made again', async () => {
      const image = await create();
      const upload = await begin(image.id);

      await registry().data.abortUpload(upload);
      await registry().data.abortUpload(upload);

      expect(await registry().images.get(ctx, image.id)).toMatchObject({ status: 'queued', size: null });
      await expect(registry().data.commitUpload(upload)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      await expect(registry().data.commitUpload(await begin(image.id))).resolves.toBeUndefined();
    });

    it('whose data could not be removed keeps the image until a worker has removed it', async () => {
      const image = await create();
      const upload = await begin(image.id);

      await registry().data.abortUpload({ ...upload, hasLeftovers: true });
      await registry().data.abortUpload({ ...upload, hasLeftovers: true });

      expect(await statusOf(image.id)).toBe('saving');
      const [job, ...more] = await runJobs();
      expect(more).toEqual([]);
      expect(job?.payload).toMatchObject({ partial: { storeId: 'file', uploadId: upload.uploadId } });
      expect(await statusOf(image.id)).toBe('queued');
    });

    it('that was given up before its beginning arrived does not begin', async () => {
      const image = await create();
      const upload = anUpload(image.id);

      await registry().data.abortUpload({ ...upload, reason: 'timeout' });

      await expect(registry().data.beginUpload(upload)).rejects.toMatchObject({ code: 'IMAGE_LOST_RACE' });
      expect(await statusOf(image.id)).toBe('queued');
    });

    it('of an image that was deleted meanwhile is refused', async () => {
      const image = await create();
      const upload = await begin(image.id);
      await registry().images.delete(ctx, image.id);

      await expect(registry().data.commitUpload(upload)).rejects.toMatchObject({ code: 'IMAGE_LOST_RACE' });
      await expect(registry().data.abortUpload(upload)).resolves.toBeUndefined();
    });

    it.each([
      ['a second time', 'IMAGE_STATUS_CONFLICT', async (id: string) => begin(id), {}],
      ['without formats', 'IMAGE_FORMATS_MISSING', undefined, { diskFormat: null }],
    ])('is refused %s', async (_, code, prepare, more) => {
      const image = await create(more);
      await prepare?.(image.id);

      await expect(begin(image.id)).rejects.toMatchObject({ code });
    });

    it('is refused to strangers and beyond the size cap', async () => {
      const image = await create();
      const shown = await registry().images.create(anAdmin(), aNewImage({ visibility: 'public' }));

      await expect(begin(image.id, { size: 2 ** 50 })).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(begin(shown.id)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      await expect(begin(randomUUID())).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    });
  });

  describe('when the process that receives the data dies', () => {
    it('gives the image back once the leftovers are removed, and not before', async () => {
      const image = await create();
      const upload = await begin(image.id);

      await passTime(LEASE_MS + 10_000);

      expect(await statusOf(image.id)).toBe('saving');
      await expect(registry().data.commitUpload(upload)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      await expect(begin(image.id)).rejects.toMatchObject({ code: 'IMAGE_STATUS_CONFLICT' });
      expect((await runJobs()).map(({ payload }) => payload)).toContainEqual({
        imageId: image.id,
        locations: [],
        partial: { storeId: 'file', uploadId: upload.uploadId },
      });
      expect(await statusOf(image.id)).toBe('queued');
      await expect(begin(image.id)).resolves.toBeDefined();
    });

    it('removes the leftovers also where the image was deleted meanwhile', async () => {
      const image = await create();
      await begin(image.id, { instanceId: 'gateway-2' });
      await registry().images.delete(ctx, image.id);

      await passTime(LEASE_MS + 10_000);
      await runJobs();

      expect(await jobsOf(image.id)).toMatchObject([{ status: 'done' }]);
      expect(await registry().rows('images', `id = '${image.id}'`)).toMatchObject([{ status: 'deleted' }]);
    });

    it('does not wait for an instance that said goodbye', async () => {
      const image = await create();
      await begin(image.id, { instanceId: 'gateway-3' });

      await registry().instances.release({ instanceId: 'gateway-3' });
      await runJobs();

      expect(await statusOf(image.id)).toBe('queued');
    });

    it('spares those whose heartbeats arrive', async () => {
      const image = await create();
      await begin(image.id, { instanceId: 'gateway-4' });

      for (let turn = 0; turn < 8; turn += 1) {
        await registry().instances.heartbeat({ instanceId: 'gateway-4', service: 'api-gateway', host: 'h' });
        await passTime(5_000);
      }

      expect(await jobsOf(image.id)).toEqual([]);
    });

    it.each([
      ['the bus is away', () => (registry().bus.since = null)],
      ['the bus came back just now', () => (registry().bus.since = registry().clock.now() + LEASE_MS)],
    ])('judges nobody while %s', async (_, disturb) => {
      const image = await create();
      await begin(image.id, { instanceId: `gateway-${image.id}` });
      disturb();

      await passTime(LEASE_MS + 5_000);
      expect(await jobsOf(image.id)).toEqual([]);
      registry().bus.since = 0;
      await passTime(LEASE_MS);

      expect(await jobsOf(image.id)).toHaveLength(1);
    });

    it('judges nobody after it stood still itself', async () => {
      const image = await create();
      await begin(image.id, { instanceId: `gateway-${image.id}` });

      registry().clock.pass(10 * LEASE_MS);
      await registry().reaper.look();

      expect(await jobsOf(image.id)).toEqual([]);
    });
  });

  describe('downloads', () => {
    it('of a deactivated image are for admins', async () => {
      const image = await create({ visibility: 'community' });
      await registry().data.commitUpload(await begin(image.id));
      await registry().database.unitOfWork.run((tx) =>
        tx.execute("UPDATE images SET status = 'deactivated' WHERE id = ?", [image.id]),
      );

      await expect(registry().data.openDownload(ctx, image.id)).rejects.toMatchObject({
        code: 'IMAGE_DEACTIVATED',
      });
      expect((await registry().data.openDownload(anAdmin(), image.id)).locations).toHaveLength(1);
    });

    it('need more than the role of a reader, and a queued image has nothing', async () => {
      const image = await create({ visibility: 'community' });

      expect((await registry().data.openDownload(aCaller('p2'), image.id)).locations).toEqual([]);
      await expect(registry().data.openDownload(aCaller('p2', 'reader'), image.id)).rejects.toMatchObject({
        code: 'ACTION_FORBIDDEN',
      });
    });

    it('end with the image, whose data a job removes', async () => {
      const image = await create();
      await registry().data.commitUpload(await begin(image.id));

      await registry().images.delete(ctx, image.id);

      await expect(registry().data.openDownload(ctx, image.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      const [job] = await jobsOf(image.id);
      expect(JSON.parse(job?.payload ?? '')).toEqual({
        imageId: image.id,
        locations: [{ url: `file:///${image.id}`, metadata: {} }],
      });
    });
  });
}
