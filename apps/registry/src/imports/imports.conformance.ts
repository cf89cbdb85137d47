import { randomUUID } from 'node:crypto';
import { STAGING_STORE, attemptIdOf, imageEvents, jobPayloadOf } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { type RegistryUnderTest, aCaller, aNewImage, anAdmin } from '../registry-harness.conformance.js';
import { describeImportSteps } from './import-steps.conformance.js';
import { aRequest, copy, data, direct, download, importTools, outage } from './import-tools.conformance.js';

/** What describeImports wants of the configuration. */
export const importsEnvironment = {
  GLIMPSE_IMPORT_STEPS: 'image_decompression,image_conversion,inject_image_metadata',
  GLIMPSE_IMPORT_INJECT_METADATA_INJECT: '{injected: "yes", os_glance_no: "no"}',
  GLIMPSE_IMPORT_CONVERSION_ON_REQUEST: 'true',
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: '/nonexistent/fast' },
    slow: { type: 'file', datadir: '/nonexistent/slow' },
    web: { type: 'http' },
  }),
  GLIMPSE_DEFAULT_STORE: 'slow',
  GLIMPSE_IMPORT_MAX_ATTEMPTS: '2',
  GLIMPSE_LIMITS_PROJECT_STORAGE: '10000',
};

/** What brings data into images, and how it ends. */
export function describeImports(registry: () => RegistryUnderTest): void {
  const tools = importTools(registry);
  const { create, show, begin, codeOf, taskOf, marksOf, removals } = tools;
  const { result, failure, claim, complete, beginStaging, stagedAt, staged, active } = tools;

  describe('staging', () => {
    it('takes data once, and the size is that of the data', async () => {
      const id = await staged();

      expect(await show(id)).toMatchObject({ status: 'uploading', size: data.size, stores: [] });
      expect(await codeOf(beginStaging(id))).toBe('IMAGE_STATUS_CONFLICT');
    });

    it('that is given up leaves the image queued, and can be repeated', async () => {
      const { id } = await create();
      const upload = await beginStaging(id);

      await registry().data.abortUpload({ ...upload, reason: 'gone' });

      expect(await show(id)).toMatchObject({ status: 'queued', size: null });
      await beginStaging(id);
    });

    it('whose gateway died is removed, and the image is queued again', async () => {
      const { id } = await create();
      const { uploadId } = await beginStaging(id);

      await registry().instances.release({ instanceId: 'gateway' });
      await complete(await claim(id, 'delete-data'));

      expect(await removals(id)).toMatchObject([{ partial: { storeId: STAGING_STORE, uploadId } }]);
      expect((await show(id)).status).toBe('queued');
    });

    it('is not for those who may not change the image', async () => {
      const { id } = await create({ visibility: 'community' });
      const upload = { id, uploadId: randomUUID(), instanceId: 'gateway', size: 1 };

      expect(await codeOf(registry().staging.begin({ ...upload, ctx: aCaller('p2') }))).toBe(
        'ACTION_FORBIDDEN',
      );
    });

    it('can not be imported before it has ended', async () => {
      const { id } = await create();
      await beginStaging(id);

      expect(await codeOf(begin(id, aRequest(direct)))).toBe('IMAGE_STATUS_CONFLICT');
    });

    it('is removed with the image', async () => {
      const id = await staged();

      await registry().images.delete(aCaller(), id);

      expect(await removals(id)).toMatchObject([{ locations: [stagedAt(id).location] }]);
    });
  });

  describe('a request', () => {
    it.each([
      ['glance-direct on a queued image', 'IMAGE_STATUS_CONFLICT', create, aRequest(direct)],
      ['copy-image on a queued image', 'IMAGE_STATUS_CONFLICT', create, aRequest(copy)],
      [
        'formats that are missing',
        'IMAGE_STATUS_CONFLICT',
        () => create({ diskFormat: null }),
        aRequest(download()),
      ],
      ['a store that is unknown', 'STORE_NOT_CONFIGURED', create, aRequest(download(), { stores: ['x'] })],
      ['a store that is read only', 'REQUEST_INVALID', create, aRequest(download(), { stores: ['web'] })],
      [
        'all stores and some',
        'REQUEST_INVALID',
        create,
        aRequest(download(), { allStores: true, stores: ['slow'] }),
      ],
      [
        'all stores and the header',
        'REQUEST_INVALID',
        create,
        aRequest(download(), { allStores: true, headerStore: 'slow' }),
      ],
      [
        'stores and another header',
        'REQUEST_INVALID',
        create,
        aRequest(download(), { stores: ['slow'], headerStore: 'fast' }),
      ],
      ['a URI that is filtered', 'REQUEST_INVALID', create, aRequest(download('http://0x7f.1/'))],
    ])('is refused for %s', async (_why, code, make, request) => {
      const { id } = await make();

      expect(await codeOf(begin(id, request))).toBe(code);
      expect(await show(id)).toMatchObject({ status: 'queued', properties: {} });
    });

    it('of others finds no image, or is forbidden', async () => {
      const { id } = await create();
      const open = await create({ visibility: 'community' });

      expect(await codeOf(begin(id, aRequest(download()), aCaller('p2')))).toBe('IMAGE_NOT_FOUND');
      expect(await codeOf(begin(open.id, aRequest(download()), aCaller('p2')))).toBe('ACTION_FORBIDDEN');
    });

    it('to copy is for admins', async () => {
      const id = await active();

      expect(await codeOf(begin(id, aRequest(copy, { stores: ['fast'] })))).toBe('ACTION_FORBIDDEN');
      expect(await codeOf(begin(id, aRequest(copy, { stores: ['fast'] }), anAdmin()))).toBe('done');
    });

    it('for an active image is for a copy only, to where it is not', async () => {
      const id = await active();

      expect(await codeOf(begin(id, aRequest(download())))).toBe('IMAGE_STATUS_CONFLICT');
      expect(await codeOf(begin(id, aRequest(copy, { stores: ['slow'] }), anAdmin()))).toBe(
        'REQUEST_INVALID',
      );
      await begin(id, aRequest(copy, { stores: [] }), anAdmin());
      expect(await taskOf(id)).toBeUndefined();
    });

    it('is one at a time', async () => {
      const { id } = await create();
      await begin(id, aRequest(download()));

      expect(await codeOf(begin(id, aRequest(download())))).toBe('IMAGE_STATUS_CONFLICT');
    });

    it('names a store twice, or in both ways, and means it once', async () => {
      const { id } = await create();
      await begin(id, aRequest(download(), { stores: ['fast', 'fast'] }));
      const other = await create();
      await begin(other.id, aRequest(download(), { stores: ['fast'], headerStore: 'fast' }));

      for (const image of [id, other.id])
        expect((await show(image)).properties['os_glance_importing_to_stores']).toBe('fast');
    });

    it('that goes beyond the quota is accepted, and then fails', async () => {
      const ctx = aCaller('p-full');
      const { id } = await registry().images.create(ctx, aNewImage());
      const upload = { ctx, id, uploadId: randomUUID() };
      await registry().staging.begin({ ...upload, instanceId: 'gateway', size: 20_000 });
      await registry().staging.commit({ ...upload, staged: { ...stagedAt(id), size: 20_000 } });

      await begin(id, aRequest(direct), ctx);

      expect(await show(id)).toMatchObject({ status: 'queued', size: null });
      expect(await taskOf(id)).toMatchObject({
        status: 'failure',
        message: expect.stringContaining('quota'),
      });
      expect(await removals(id)).toMatchObject([{ locations: [stagedAt(id).location] }]);
    });
  });

  describe('the end', () => {
    it('makes the image active, with all that was measured, and announces it', async () => {
      const id = await staged();
      await begin(id, aRequest(direct, { allStores: true }));
      expect(await show(id)).toMatchObject({ status: 'importing', size: data.size });
      expect(marksOf(await show(id))).toEqual(['fast,slow', '', expect.any(String)]);

      await complete(await claim(id), result(id, 'fast', 'slow'));

      const { size, virtualSize, checksum, osHashValue } = data;
      const image = await show(id);
      expect(image).toMatchObject({ status: 'active', size, virtualSize, checksum, osHashValue });
      expect(image.stores.toSorted()).toEqual(['fast', 'slow']);
      expect(marksOf(image)).toEqual(['', '', undefined]);
      expect(await taskOf(id)).toMatchObject({ status: 'success', result: { image_id: id } });
      expect(await removals(id)).toMatchObject([{ locations: [stagedAt(id).location] }]);
      const events = (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);
      expect(events).toContain(imageEvents.activated.name);
    });

    it.each([
      ['staged data', staged, direct],
      ['a download', async () => (await create()).id, download()],
    ])(
      'of %s that no store took is a queued image, which can be imported again',
      async (_what, make, method) => {
        const id = await make();
        await begin(id, aRequest(method, { stores: ['fast', 'slow'] }));

        await complete(await claim(id), failure('fast'));

        const image = await show(id);
        expect(image).toMatchObject({ status: 'queued', size: null, stores: [] });
        expect(marksOf(image)).toEqual(['', 'fast', undefined]);
        expect(await taskOf(id)).toMatchObject({ status: 'failure', message: 'fast: disk on fire' });
        await begin(id, aRequest(download()));
      },
    );

    it('of a copy that failed leaves the image active', async () => {
      const id = await active();
      await begin(id, aRequest(copy, { stores: ['fast'] }), anAdmin());

      await complete(await claim(id), failure('fast'));

      const image = await show(id);
      expect(image).toMatchObject({ status: 'active', size: data.size, stores: ['slow'] });
      expect(marksOf(image)).toEqual(['', 'fast', undefined]);
    });

    it('of a copy adds a place, and changes nothing else', async () => {
      const id = await active();
      const before = await show(id);
      await begin(id, aRequest(copy, { stores: ['fast'] }), anAdmin());
      expect((await show(id)).status).toBe('active');

      await complete(await claim(id), { ...result(id, 'fast'), data: { ...data, osHashValue: 'other' } });

      const image = await show(id);
      expect(image.stores.toSorted()).toEqual(['fast', 'slow']);
      expect(image.osHashValue).toBe(before.osHashValue);
    });

    it('with some stores that failed is an active image that says so', async () => {
      const id = await staged();
      await begin(id, aRequest(direct, { allStores: true, allStoresMustSucceed: false }));

      await complete(await claim(id), { ...result(id, 'slow'), failed: failure('fast').failed });

      const image = await show(id);
      expect(image).toMatchObject({ status: 'active', stores: ['slow'] });
      expect(marksOf(image)).toEqual(['', 'fast', undefined]);
      expect((await taskOf(id))?.message).toContain('fast: disk on fire');
    });

    it('comes when what the attempts left is removed, where all of them failed', async () => {
      const { id } = await create();
      await begin(id, aRequest(download()));

      for (let attempt = 1; attempt <= 2; attempt++) {
        const { id: jobId, leaseToken } = await claim(id);
        await registry().jobs.fail({ jobId, leaseToken, error: outage, isRetryable: true });
        registry().clock.pass(60_000);
      }

      const [{ leftovers = [], endsImport } = {}] = await removals(id);
      expect(leftovers.map(({ uploadId }) => uploadId.slice(-2))).toEqual(['-1', '-2']);
      expect(endsImport?.reason).toBe('no answer');
      expect((await show(id)).status).toBe('importing');
      await complete(await claim(id, 'delete-data'));
      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await taskOf(id)).toMatchObject({ status: 'failure', message: 'no answer' });
    });

    it('comes also where the workers died each time', async () => {
      const { id } = await create();
      await begin(id, aRequest(download()));

      for (let attempt = 1; attempt <= 2; attempt++) {
        await claim(id);
        registry().clock.pass(60_000);
      }
      await registry().jobs.claim({ instanceId: 'worker', kinds: ['import'], limit: 64 });
      await complete(await claim(id, 'delete-data'));

      expect(await show(id)).toMatchObject({ status: 'queued' });
      expect(await taskOf(id)).toMatchObject({ status: 'failure' });
    });

    it('of a deleted image leaves nothing, whatever its worker does', async () => {
      const { id } = await create();
      await begin(id, aRequest(download()));
      const job = await claim(id);
      const { importId } = jobPayloadOf('import', job.payload);

      await registry().images.delete(aCaller(), id);

      expect(await complete(job, result(id, 'slow'))).toEqual({ outcome: 'lost' });
      const [removal] = await removals(id);
      expect(removal?.leftovers).toContainEqual({ storeId: 'slow', uploadId: attemptIdOf(importId, 1) });
      // Not before the worker can have noticed.
      await expect(claim(id, 'delete-data')).rejects.toThrow('no job');
      registry().clock.pass(registry().config.jobs.leaseMs);
      await claim(id, 'delete-data');
    });

    it('of a download that is larger than the quota is a queued image, once the data is removed', async () => {
      const { id } = await create({}, aCaller('p-small'));
      await begin(id, aRequest(download()), aCaller('p-small'));

      const job = await claim(id);
      expect(jobPayloadOf('import', job.payload).sizeCap).toBe(10_000);
      await complete(job, { ...result(id, 'slow'), data: { ...data, size: 20_000 } });
      await complete(await claim(id, 'delete-data'));

      expect(await show(id)).toMatchObject({ status: 'queued', stores: [] });
      expect((await taskOf(id))?.message).toContain('quota');
    });
  });

  describeImportSteps(tools);
}
