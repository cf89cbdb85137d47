import type { TaskQuery } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { expect, it } from '@jest/globals';
import { type RegistryUnderTest, aCaller, aNewImage, anAdmin } from '../registry-harness.conformance.js';

const DAY_MS = 86_400_000;

export function describeTasks(registry: () => RegistryUnderTest): void {
  const begin = (ctx = aCaller()) =>
    registry().database.unitOfWork.run((tx) =>
      registry().taskRecords.begin(tx, ctx, { type: 'location_import', input: { a: 1 } }),
    );
  const within = (work: (tx: Transaction) => Promise<unknown>) => registry().database.unitOfWork.run(work);
  const get = (id: string) => registry().tasks.get(anAdmin(), id);
  const query = (more: Partial<TaskQuery> = {}): TaskQuery => ({
    limit: 100,
    sortKey: 'created_at',
    sortDirection: 'desc',
    filters: {},
    ...more,
  });

  it('go from pending over processing to success, once', async () => {
    const id = await begin();
    expect(await get(id)).toMatchObject({ status: 'pending', expiresAt: null, input: { a: 1 } });

    await within((tx) => registry().taskRecords.process(tx, id));
    expect(await get(id)).toMatchObject({ status: 'processing' });
    await within((tx) => registry().taskRecords.succeed(tx, id, { b: 2 }));
    await within((tx) => registry().taskRecords.fail(tx, id, 'too late'));

    expect(await get(id)).toMatchObject({ status: 'success', result: { b: 2 }, message: '' });
    expect((await get(id)).expiresAt).not.toBeNull();
  });

  it('show that they go on once a minute', async () => {
    const id = await begin();
    await within((tx) => registry().taskRecords.process(tx, id));

    await within((tx) => registry().taskRecords.report(tx, id, 'Hashed 1 MiB'));
    expect((await get(id)).message).toBe('');
    registry().clock.pass(61_000);
    await within((tx) => registry().taskRecords.report(tx, id, 'Hashed 2 MiB'));
    await within((tx) => registry().taskRecords.report(tx, id, 'Hashed 3 MiB'));

    expect((await get(id)).message).toBe('Hashed 2 MiB');
  });

  it('are forgotten two days after they ended, whoever lists', async () => {
    const id = await begin();
    const lasting = await begin();
    await within((tx) => registry().taskRecords.fail(tx, id, 'no'));
    registry().clock.pass(2 * DAY_MS - 1_000);
    expect((await get(id)).message).toBe('no');
    registry().clock.pass(2_000);

    await expect(get(id)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const { tasks } = await registry().tasks.list(anAdmin(), query());

    expect(tasks.map((task) => task.id)).toContain(lasting);
    expect(await registry().rows('tasks', `id = '${id}'`)).toMatchObject([{ deleted: 1 }]);
  });

  it('come in pages that leave out none, by any key', async () => {
    for (let n = 0; n < 5; n += 1) await begin();
    const all = await registry().tasks.list(anAdmin(), query());

    for (const sortKey of ['id', 'image_id', 'expires_at', 'status', 'updated_at'] as const)
      for (const sortDirection of ['asc', 'desc'] as const) {
        const seen: string[] = [];
        for (let marker: string | undefined; ;) {
          const page = await registry().tasks.list(
            anAdmin(),
            query({ limit: 2, sortKey, sortDirection, ...(marker === undefined ? {} : { marker }) }),
          );
          seen.push(...page.tasks.map(({ id }) => id));
          marker = page.tasks.at(-1)?.id;
          if (!page.isFullPage) break;
        }
        expect(seen.toSorted()).toEqual(all.tasks.map(({ id }) => id).toSorted());
      }
  });

  it('are for those whom the policy lets, and of an image for their owners', async () => {
    const image = await registry().images.create(aCaller(), aNewImage({ visibility: 'community' }));
    const record = (ctx: ReturnType<typeof aCaller>) =>
      registry().database.unitOfWork.run((tx) =>
        registry().taskRecords.begin(tx, ctx, { type: 'location_import', imageId: image.id, input: {} }),
      );
    await record(aCaller());

    await expect(registry().tasks.list(aCaller(), query())).rejects.toMatchObject({
      code: 'ACTION_FORBIDDEN',
    });
    expect(await registry().tasks.listOfImage(aCaller(), image.id)).toHaveLength(1);
    expect(await registry().tasks.listOfImage(aCaller('p2'), image.id)).toEqual([]);
    expect(await registry().tasks.listOfImage(anAdmin(), image.id)).toHaveLength(1);
  });
}
