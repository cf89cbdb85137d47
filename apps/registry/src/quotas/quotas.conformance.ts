import { randomUUID } from 'node:crypto';
import type { Caller } from '@glimpse/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';

const MIB = 1024 ** 2;

/** Each test has a project of its own. */
export function describeQuotas(_registry: () => RegistryUnderTest, url: () => string): void {
  let registries: RegistryUnderTest[];
  let ctx: Caller;
  beforeAll(async () => {
    const environment = {
      GLIMPSE_LIMITS_PROJECT_IMAGE_COUNT: '10',
      GLIMPSE_LIMITS_PROJECT_STORAGE: '1000B',
      GLIMPSE_LIMITS_PROJECT_UPLOAD_COUNT: '8',
      GLIMPSE_LIMITS_PROJECT_STAGING: '500',
    };
    registries = [await startRegistryOn(url(), environment), await startRegistryOn(url(), environment)];
  });
  afterAll(async () => {
    for (const registry of registries) await registry.close();
  });
  beforeEach(() => {
    ctx = aCaller(randomUUID());
  });
  const registry = (index = 0) => registries[index % registries.length]!;
  const create = async (more = {}, caller = ctx) =>
    (await registry().images.create(caller, aNewImage(more))).id;
  const begin = async (id: string, size: number | null, index = 0, caller = ctx) => {
    const uploadId = randomUUID();
    const upload = { ctx: caller, id, uploadId, storeId: 'file', instanceId: 'gateway-1', size };
    const ticket = await registry(index).data.beginUpload(upload);
    return { ...upload, ticket, reason: 'gone' };
  };
  const upload = async (id: string, size: number, isAnnounced: boolean, index = 0) => {
    const begun = await begin(id, isAnnounced ? size : null, index);
    const stored = storedAt(`file:///${id}`, { size });
    try {
      await registry(index).data.commitUpload({ ...begun, stored });
    } catch (error) {
      await registry(index).data.abortUpload(begun);
      throw error;
    }
  };
  const bytesOf = async () =>
    (await registry().rows('images', `owner = '${ctx.projectId}' AND deleted = 0`)).reduce(
      (sum, { size }) => sum + (size ?? 0),
      0,
    );
  const fulfilled = (outcomes: PromiseSettledResult<unknown>[]) => {
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    return outcomes.filter(({ status }) => status === 'fulfilled').length;
  };

  it('lets fifty creates at once, in two registries, make ten images, and deletion free them', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => registry(index).images.create(ctx, aNewImage())),
    );

    expect(fulfilled(outcomes)).toBe(10);
    const [image] = await registry().rows('images', `owner = '${ctx.projectId}'`);
    await registry().images.delete(ctx, image?.id ?? '');
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  it.each([true, false])(
    'never has more bytes than it may, whatever arrives at once (sizes announced: %s)',
    async (isAnnounced) => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => create()));

      const outcomes = await Promise.allSettled(ids.map((id, index) => upload(id, 300, isAnnounced, index)));

      expect(fulfilled(outcomes)).toBe(3);
      expect(await bytesOf()).toBe(900);
      const statuses = await registry().rows('images', `owner = '${ctx.projectId}'`);
      expect(statuses.map(({ status }) => status).toSorted()).toEqual([
        ...Array.from({ length: 3 }, () => 'active'),
        ...Array.from({ length: 5 }, () => 'queued'),
      ]);
    },
  );

  it('misses no upload that ends while another one begins', async () => {
    const roundOf = async (project: string) => {
      const caller = aCaller(project);
      const ids = await Promise.all(Array.from({ length: 8 }, () => create({}, caller)));
      return Promise.allSettled(
        ids.map(async (id, index) => {
          const begun = await begin(id, 300, index, caller);
          const stored = storedAt(`file:///${id}`, { size: 300 });
          await registry(index + 1).data.commitUpload({ ...begun, stored });
        }),
      );
    };

    const rounds = await Promise.all(Array.from({ length: 10 }, () => roundOf(randomUUID())));

    expect(rounds.map(fulfilled)).toEqual(rounds.map(() => 3));
  });

  it('counts what was announced against what was not', async () => {
    const [known, unknown] = [await create(), await create()];
    const announced = await begin(known, 600);
    const open = await begin(unknown, null);

    expect(open.ticket.sizeCap).toBe(400);
    const commit = (begun: typeof open, size: number) =>
      registry().data.commitUpload({ ...begun, stored: storedAt(`file:///${begun.id}`, { size }) });
    await expect(commit(open, 401)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await commit(announced, 600);
    await commit(open, 400);

    expect(await bytesOf()).toBe(1000);
  });

  it('gives an upload whose beginning is repeated what is left', async () => {
    const begun = await begin(await create(), null);

    expect(await registry(1).data.beginUpload(begun)).toEqual(begun.ticket);
  });

  it('gives back what an upload that was given up had announced', async () => {
    const id = await create();
    const begun = await begin(id, 1000);
    await expect(begin(await create(), 1)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });

    await registry().data.abortUpload(begun);

    await expect(begin(id, 1000)).resolves.toBeDefined();
  });

  it('counts an image once for each of its locations', async () => {
    const id = await create();
    await upload(id, 400, true);
    await registry().insert('image_locations', {
      image_id: id,
      value: 'file:///copy',
      meta_data: '{}',
      status: 'active',
      created_at: '2026-01-01 00:00:00',
      updated_at: '2026-01-01 00:00:00',
      deleted: 0,
    });

    await expect(begin(await create(), 201)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(begin(await create(), 200)).resolves.toBeDefined();
  });

  it('bounds the uploads at a time', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => create()));

    const outcomes = await Promise.allSettled(ids.map((id, index) => begin(id, 1, index)));

    expect(fulfilled(outcomes)).toBe(8);
  });

  it('bounds what is staged', async () => {
    const { database } = registry();
    const stage = (size: number | null) =>
      database.unitOfWork.run((tx) => registry().quotas.admitStaging(tx, ctx, ctx.projectId, size));
    const id = await create();
    await database.unitOfWork.run((tx) =>
      tx.execute("UPDATE images SET status = 'uploading', size = 200 WHERE id = ?", [id]),
    );

    expect(await stage(null)).toBe(300);
    expect(await stage(300)).toBeUndefined();
    await expect(stage(301)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  it('counts against the project that owns the image', async () => {
    await create({ owner: ctx.projectId }, anAdmin());

    expect((await registry().quotas.usageOf(ctx)).imageCountTotal).toEqual({ usage: 1, limit: 10 });
  });

  describe('kept by the identity service', () => {
    it('takes the place of what is configured', async () => {
      const limited = { ...ctx, limits: { imageCountTotal: 1, imageSizeTotal: 1, imageCountUploading: -1 } };
      const id = await create({}, limited);

      await expect(create({}, limited)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(begin(id, 2 * MIB, 0, limited)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(begin(id, MIB, 0, limited)).resolves.toBeDefined();
      expect(await registry().quotas.usageOf(limited)).toEqual({
        imageSizeTotal: { usage: 1, limit: 1 },
        imageCountTotal: { usage: 1, limit: 1 },
        imageCountUploading: { usage: 1, limit: -1 },
      });
    });

    it('lets data of unknown size go over the limit, and nothing in after it', async () => {
      const limited = { ...ctx, limits: { imageCountTotal: -1, imageSizeTotal: 1, imageCountUploading: -1 } };
      const store = async (id: string, size: number) => {
        const begun = await begin(id, null, 0, limited);
        expect(begun.ticket.sizeCap).toBeUndefined();
        expect((await registry(1).data.beginUpload(begun)).sizeCap).toBeUndefined();
        await registry().data.commitUpload({ ...begun, stored: storedAt(`file:///${id}`, { size }) });
      };

      await store(await create(), MIB);
      await store(await create(), MIB);
      const next = await create();
      for (const size of [null, 0, 1])
        await expect(begin(next, size, 0, limited)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });

      expect((await registry().quotas.usageOf(limited)).imageSizeTotal).toEqual({ usage: 2, limit: 1 });
    });

    it.each([
      ['an announced size', 'admitUpload'],
      ['what is staged', 'admitStaging'],
    ] as const)('counts %s in whole MiB', async (_what, admit) => {
      const limited = { ...ctx, limits: { imageSizeTotal: 1, imageStageTotal: 1, imageCountUploading: -1 } };
      const { database, quotas } = registry();
      const ask = (size: number | null) =>
        database.unitOfWork.run((tx) => quotas[admit](tx, limited, ctx.projectId, size));

      expect(await ask(2 * MIB - 1)).toBeUndefined();
      expect(await ask(null)).toBeUndefined();
      await expect(ask(2 * MIB)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    });

    it('does not bind an admin who works for another project', async () => {
      const admin = { ...anAdmin(), limits: { imageCountTotal: 0 } };

      await expect(create({ owner: ctx.projectId }, admin)).resolves.toEqual(expect.any(String));
      await expect(create({}, admin)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    });
  });

  it('counts nothing of a project whose name the database takes for the same', async () => {
    const other = aCaller(`Team-É-${ctx.projectId}`);
    await create({}, aCaller(`team-é-${ctx.projectId}`));
    await create({}, other);

    expect((await registry().quotas.usageOf(other)).imageCountTotal).toEqual({ usage: 1, limit: 10 });
  });

  it('costs nothing where there is no limit', async () => {
    const unlimited = await startRegistryOn(url());
    await unlimited.images.create(ctx, aNewImage());

    expect(await unlimited.quotas.usageOf(ctx)).toEqual({});
    expect(await unlimited.rows('quota_locks', `project = '${ctx.projectId}'`)).toEqual([]);
    await unlimited.close();
  });
}
