import { Database } from '@glimpse/persistence';
import type { Caller, ImageQuery, NewImage } from '@glimpse/contracts';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  aQuery,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';

export function describeLists(registry: () => RegistryUnderTest, url: () => string): void {
  const root = anAdmin('admin');
  const create = (request: NewImage) => {
    registry().clock.pass(1_000);
    return registry().images.create(root, aNewImage(request));
  };
  const list = async (ctx: Caller, more: Partial<ImageQuery> = {}) =>
    (await registry().lists.list(ctx, aQuery(more))).images;
  const names = async (more: Partial<ImageQuery> = {}, ctx = root) =>
    (await list(ctx, more)).map(({ name }) => name);
  const share = (id: string, member: string, status: string) =>
    registry().insert('image_members', {
      image_id: id,
      member,
      can_share: 0,
      status,
      created_at: '2026-01-01 00:00:00',
      updated_at: '2026-01-01 00:00:00',
      deleted: 0,
    });

  describe('which images appear (spec/errors-and-edge-cases.md section 12)', () => {
    const visibilities = ['public', 'private', 'shared', 'community'] as const;
    beforeAll(async () => {
      for (const owner of ['admin', 'tenant1', 'tenant2', null])
        for (const visibility of visibilities)
          await create({ owner, visibility, name: `${owner}-${visibility}` });
    });

    it.each([
      ['tenant1', aCaller('tenant1', 'reader'), [7, 4, 1, 1, 4]],
      ['no project', aCaller(null, 'reader'), [4, 4, 0, 0, 4]],
      ['an admin without project', anAdmin(null), [12, 4, 4, 4, 4]],
      ['the admin', root, [13, 4, 4, 4, 4]],
    ])('to %s', async (_, caller, expected) => {
      const filters = [undefined, ...visibilities].map((visibility) =>
        visibility === undefined ? {} : { visibility },
      );

      const counts = await Promise.all(filters.map(async (filter) => (await list(caller, filter)).length));

      expect(counts).toEqual(expected);
    });

    it('each once, with everything that the caller may see for "all" and nothing for an empty filter', async () => {
      const all = await list(aCaller('tenant1', 'reader'), { visibility: 'all' });

      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
      expect(all).toHaveLength(4 + 4 + 2);
      expect(await list(root, { visibility: 'all' })).toHaveLength(16);
      expect(await list(root, { visibility: '' })).toEqual([]);
    });

    it('to those they are shared with, by the state of the membership', async () => {
      const [image] = await list(root, { anyOf: [{ column: 'name', values: ['tenant1-shared'] }] });
      await share(image!.id, 'tenant3', 'pending');
      const tenant3 = aCaller('tenant3', 'reader');
      const count = async (more: Partial<ImageQuery>) => (await list(tenant3, more)).length;

      expect(await count({})).toBe(4);
      expect(await count({ visibility: 'shared' })).toBe(0);
      expect(await count({ memberStatus: 'pending' })).toBe(5);
      expect(await count({ memberStatus: 'all' })).toBe(5);
      expect(await count({ memberStatus: 'pending', visibility: 'shared' })).toBe(1);
      expect(await count({ memberStatus: 'rejected', visibility: 'shared' })).toBe(0);
      await registry().database.unitOfWork.run((tx) =>
        tx.execute("UPDATE image_members SET status = 'accepted'"),
      );
      expect(await count({})).toBe(5);
    });

    it.each([
      ['without the role of a reader', aCaller('p1', 'member')],
      ['of a system', { ...anAdmin(), systemScope: 'all' }],
      ['of a domain', { ...anAdmin(null), domainId: 'default' }],
    ])('to no caller %s', async (_, caller) => {
      await expect(list(caller)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    });
  });

  describe('filters and order', () => {
    const mine = { properties: { set: 'filters' } };
    beforeAll(async () => {
      const images: NewImage[] = [
        {
          name: 'b',
          diskFormat: 'qcow2',
          tags: ['x', 'y'],
          minRam: 5,
          properties: { set: 'filters', os: 'a' },
        },
        { name: 'a', tags: ['x'], protected: true, properties: { set: 'filters', os: 'b' } },
        { name: null, properties: { set: 'filters' } },
        { name: 'a', minRam: 9, properties: { set: 'filters' } },
      ];
      for (const image of images) await create(image);
      await create({ name: 'hidden', osHidden: true, properties: { set: 'filters' } });
    });

    it('shows the newest first, and no hidden ones', async () => {
      expect(await names(mine)).toEqual(['a', null, 'a', 'b']);
      expect(await names({ ...mine, osHidden: true })).toEqual(['hidden']);
    });

    it.each<[Partial<ImageQuery>, (string | null)[]]>([
      [{ anyOf: [{ column: 'name', values: ['b', 'nothing'] }] }, ['b']],
      [{ anyOf: [{ column: 'min_ram', values: ['9'] }] }, ['a']],
      [{ anyOf: [{ column: 'min_ram', values: ['nine'] }] }, []],
      [{ anyOf: [{ column: 'size', values: ['1e400'] }] }, []],
      [
        {
          anyOf: [
            { column: 'disk_format', values: ['qcow2'] },
            { column: 'status', values: ['queued'] },
          ],
        },
        ['b'],
      ],
      [{ anyOf: [{ column: 'name', values: ['🙂'] }] }, []],
      [{ prefixes: [{ column: 'disk_format', prefix: 'QC' }] }, ['b']],
      [{ prefixes: [{ column: 'name', prefix: '' }] }, ['a', 'a', 'b']],
      [{ prefixes: [{ column: 'name', prefix: '%' }] }, []],
      [{ prefixes: [{ column: 'name', prefix: '_' }] }, []],
      [{ anyOf: [{ column: 'owner', values: ["'; DROP TABLE images; --"] }] }, []],
      [{ ranges: [{ column: 'min_ram', min: 5, max: 8 }] }, ['b']],
      [{ ranges: [{ column: 'size', min: 0 }] }, []],
      [{ tags: ['x'] }, ['a', 'b']],
      [{ tags: ['x', 'y'] }, ['b']],
      [{ protected: true }, ['a']],
      [{ properties: { set: 'filters', os: 'b' } }, ['a']],
      [{ properties: { set: 'filters', os: '🙂' } }, []],
      [{ times: [{ column: 'created_at', operator: 'lt', value: '2001-01-01T00:00:00Z' }] }, []],
      [
        { times: [{ column: 'updated_at', operator: 'gte', value: '2001-01-01T00:00:00Z' }] },
        ['a', null, 'a', 'b'],
      ],
      [{ limit: 0 }, []],
    ])('applies %j', async (filter, expected) => {
      expect(await names({ ...mine, ...filter })).toEqual(expected);
    });

    it('applies as many filters as a URL can hold', async () => {
      const many = Array.from({ length: 4_000 }, (_, at) => `${at}`);

      expect(await names({ ...mine, tags: many })).toEqual([]);
      expect(await names({ properties: Object.fromEntries(many.map((name) => [name, 'a'])) })).toEqual([]);
    });

    it('counts what is on all pages, as far as it may', async () => {
      const { images, count } = await registry().lists.list(
        root,
        aQuery({ ...mine, limit: 1, isCounted: true }),
      );

      expect(images).toHaveLength(1);
      expect(count).toEqual({ value: 4, isLimit: false });
      const limited = await startRegistryOn(url(), { GLIMPSE_LIMITS_COUNT_MAX: '3' });
      try {
        const page = await limited.lists.list(root, aQuery({ ...mine, isCounted: true }));
        expect(page.count).toEqual({ value: 3, isLimit: true });
      } finally {
        await limited.close();
      }
    });

    it('finds by a time exactly and by its negation', async () => {
      const [newest] = await list(root, { ...mine, limit: 1 });
      const at = (operator: 'eq' | 'neq') => ({
        ...mine,
        times: [{ column: 'created_at' as const, operator, value: newest!.createdAt }],
      });

      expect(await names(at('eq'))).toEqual(['a']);
      expect(await names(at('neq'))).toHaveLength(3);
    });

    it.each<[string, Partial<ImageQuery>]>([
      ['by nothing', {}],
      ['by name', { sort: [{ key: 'name', direction: 'asc' }] }],
      [
        'by several keys in different directions',
        {
          sort: [
            { key: 'size', direction: 'desc' },
            { key: 'name', direction: 'asc' },
          ],
          tieDirection: 'asc',
        },
      ],
      ['by id', { sort: [{ key: 'id', direction: 'asc' }], tieDirection: 'asc' }],
    ])('walks a list that is sorted %s page by page without a gap', async (_, order) => {
      for (const ctx of [root, aCaller('admin')]) {
        const whole = await list(ctx, { ...mine, ...order });
        const walked: string[] = [];
        let marker: string | undefined;
        for (;;) {
          const page = await registry().lists.list(
            ctx,
            aQuery({ ...mine, ...order, limit: 1, ...(marker === undefined ? {} : { marker }) }),
          );
          if (page.images.length === 0) break;
          expect(page.isFullPage).toBe(true);
          marker = page.images[0]?.id;
          walked.push(marker!);
        }
        expect(walked).toEqual(whole.map(({ id }) => id));
        expect(walked).toHaveLength(4);
      }
    });

    it('sorts an absent name as an empty one', async () => {
      const sort = [{ key: 'name' as const, direction: 'asc' as const }];

      expect(await names({ ...mine, sort })).toEqual([null, 'a', 'a', 'b']);
    });

    it('tells an unknown marker from one that is hidden', async () => {
      const hidden = await create({ owner: 'p9', visibility: 'private' });
      const gone = await create({});
      await registry().images.delete(root, gone.id);
      const caller = aCaller('tenant1', 'reader');

      await expect(list(caller, { marker: hidden.id })).rejects.toMatchObject({ code: 'MARKER_FORBIDDEN' });
      for (const marker of [gone.id, '', 'nothing', 'x'.repeat(500)])
        await expect(list(caller, { marker })).rejects.toMatchObject({ code: 'MARKER_NOT_FOUND' });
    });

    it('takes the same few statements for a page of any size', async () => {
      const [marker] = await list(root, mine);
      const query = jest.spyOn(Database.prototype, 'query');

      await list(aCaller('admin'), { ...mine, marker: marker!.id });

      expect(query).toHaveBeenCalledTimes(3);
      query.mockRestore();
    });

    it('reads images that are asked for at once in one statement', async () => {
      const images = await list(root, mine);
      const query = jest.spyOn(Database.prototype, 'query');

      await Promise.all(images.map(({ id }) => registry().images.get(root, id)));

      expect(query).toHaveBeenCalledTimes(1);
      query.mockRestore();
    });
  });
}
