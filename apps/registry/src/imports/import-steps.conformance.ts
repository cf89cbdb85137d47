import { randomUUID } from 'node:crypto';
import { type ImportRequest, type JobResult, jobPayloadOf } from '@glimpse/contracts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { aCaller, anAdmin } from '../registry-harness.conformance.js';
import {
  type ImportTools,
  aRequest,
  copy,
  data,
  direct,
  download,
  outage,
} from './import-tools.conformance.js';

type Result = JobResult<'import'>;

/** What is done to the data of imports, what jobs forget, and images that are made of others. */
export function describeImportSteps(tools: ImportTools): void {
  const { registry, create, staged, active, begin, show, claim, complete, result, failure, codeOf } = tools;

  /** What other tests have stored counts no more. */
  const freeQuota = () =>
    registry().database.unitOfWork.run((tx) =>
      tx.execute('UPDATE image_locations SET deleted = 1 WHERE deleted = 0'),
    );

  describe('the steps of an import', () => {
    beforeEach(freeQuota);
    const payloadOf = async (id: string) => jobPayloadOf('import', (await claim(id)).payload);
    const finish = async (id: string, more: Partial<NonNullable<Result['data']>> = {}) => {
      const done = result(id, 'slow');
      await complete(await claim(id), { ...done, data: { ...data, ...more } });
    };

    it('are those of the configuration, and none for copies', async () => {
      const id = await staged();
      await begin(id, aRequest(direct));
      const steps = [{ name: 'decompress' }, { name: 'convert', diskFormat: 'raw' }];
      expect((await payloadOf(id)).steps).toEqual(steps);

      const copied = await active();
      await begin(copied, aRequest(copy, { stores: ['fast'] }), anAdmin());
      expect((await payloadOf(copied)).steps).toEqual([]);
    });

    it('may change the formats of the image', async () => {
      const id = await staged({ diskFormat: 'qcow2', containerFormat: 'ova' });
      await begin(id, aRequest(direct));

      await finish(id, { diskFormat: 'raw', containerFormat: 'bare', properties: { hw_x: '1' } });

      expect(await show(id)).toMatchObject({
        status: 'active',
        diskFormat: 'raw',
        containerFormat: 'bare',
        properties: { hw_x: '1' },
      });
    });

    it('inject properties, over those that are there, but not for admins', async () => {
      const id = await staged({ properties: { injected: 'no' } });
      await begin(id, aRequest(direct));
      await finish(id);
      const own = await create({ properties: { injected: 'no' } }, anAdmin());
      await begin(own.id, aRequest(download()), anAdmin());
      await finish(own.id);

      expect((await show(id)).properties).toMatchObject({ injected: 'yes' });
      expect((await show(id)).properties).not.toHaveProperty('os_glance_no');
      expect((await show(own.id)).properties).toMatchObject({ injected: 'no' });
    });
  });

  describe('the secrets of an import', () => {
    const rowOf = async (id: string) =>
      (await registry().rows('jobs', `image_id = '${id}' AND kind = 'import'`)).map(({ payload }) => payload);
    const remote = { url: 'http://elsewhere:9292', token: 'gAAAsecret' };
    const glance = (more: object = {}) =>
      ({
        name: 'glance-download',
        region: 'two',
        imageId: randomUUID(),
        serviceInterface: 'public',
        remote,
        ...more,
      }) as const;

    it.each<[string, ImportRequest['method']]>([
      ['web-download', download('http://user:secret@example.org/disk?signature=secret')],
      ['glance-download', glance()],
    ])('of %s are with its job while that works, and gone when it has ended', async (_name, method) => {
      const ends = [
        async (id: string) => complete(await claim(id), result(id, 'slow')),
        async (id: string) => complete(await claim(id), failure('slow')),
        async (id: string) => {
          const { id: jobId, leaseToken } = await claim(id);
          await registry().jobs.fail({ jobId, leaseToken, error: outage, isRetryable: false });
        },
        (id: string) => registry().images.delete(aCaller(), id),
      ];
      for (const end of ends) {
        const { id } = await create();
        await begin(id, aRequest(method));
        expect((await rowOf(id))[0]).toContain('secret');

        await end(id);

        expect((await rowOf(id))[0]).not.toContain('secret');
      }
    });

    it.each([
      ['no region', { region: null }, 'glance_region'],
      ['no image', { imageId: null }, 'glance_image_id'],
      ['an id that is none', { imageId: 'x' }, 'image id does not look like a UUID'],
      ['a region that the catalogue does not have', { remote: null }, 'in the region two'],
    ])('are not asked for with %s', async (_what, more, reason) => {
      const { id } = await create();

      await expect(begin(id, aRequest(glance(more)))).rejects.toThrow(reason);
    });
  });

  describe('a conversion on request', () => {
    beforeEach(freeQuota);
    const convert = (id: string, diskFormat: 'raw' | 'qcow2' = 'qcow2', ctx = aCaller()) =>
      registry().conversions.begin(ctx, id, { diskFormat, name: null, stores: null });

    it('makes an image of its own, of what the caller sees', async () => {
      const id = await active();

      const made = await convert(id);

      expect(made).toMatchObject({ status: 'importing', diskFormat: 'qcow2', visibility: 'private' });
      expect(made.id).not.toBe(id);
      const { source, steps, diskFormat } = jobPayloadOf('import', (await claim(made.id)).payload);
      expect(source).toMatchObject({ kind: 'image', known: { osHashValue: expect.any(String) } });
      expect(steps).toEqual([{ name: 'convert', diskFormat: 'qcow2' }]);
      expect(diskFormat).toBe('raw');
      expect(await show(id)).toMatchObject({ status: 'active', diskFormat: 'raw' });
    });

    it('needs an active image, of another format, that the caller may download', async () => {
      const id = await active();

      expect(await codeOf(convert(id, 'raw'))).toBe('IMAGE_STATUS_CONFLICT');
      expect(await codeOf(convert((await create()).id))).toBe('IMAGE_STATUS_CONFLICT');
      expect(await codeOf(convert(id, 'qcow2', aCaller('p2')))).toBe('IMAGE_NOT_FOUND');
      expect(await codeOf(convert(randomUUID()))).toBe('IMAGE_NOT_FOUND');
    });
  });
}
