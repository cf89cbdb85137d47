import { beforeAll, describe, expect, it } from '@jest/globals';
import { eachMode } from '@glimpse/testing';
import { type Document, NAMESPACES, pathOf, people } from './metadef-api.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

eachMode(
  'What is in a namespace',
  (glimpse, mode) => {
    const { admin, reader } = people(glimpse);
    const at = (...path: string[]) => pathOf('N', ...path);
    beforeAll(async () => {
      await admin.do('POST', NAMESPACES, { namespace: 'N', visibility: 'public' });
    });

    describe('resource types', () => {
      it('are associated, listed and dissociated', async () => {
        const made = await admin.send('POST', at('resource_types'), { name: 'A::B', prefix: 'a_' });

        expect(made.status).toBe(201);
        expect(made.document).toEqual({ name: 'A::B', prefix: 'a_', created_at: TIME, updated_at: TIME });
        expect(await reader.do('GET', at('resource_types'))).toEqual({
          resource_type_associations: [made.document],
        });
        expect(await admin.status('POST', at('resource_types'), { name: 'A::B' })).toBe(409);
        expect(await admin.status('DELETE', at('resource_types', 'A::B'))).toBe(204);
        expect(await admin.status('DELETE', at('resource_types', 'A::B'))).toBe(404);
        expect(await reader.do('GET', at('resource_types'))).toEqual({ resource_type_associations: [] });
        expect((await reader.do('GET', '/metadefs/resource_types'))['resource_types']).toContainEqual({
          name: 'A::B',
          created_at: TIME,
          updated_at: TIME,
        });
      });

      it.each([
        [400, {}],
        [400, { name: 'x'.repeat(81) }],
        [400, { name: 'x', prefix: null }],
        [400, { name: 'x', self: 'y' }],
        [403, { name: 'x', created_at: 'y' }],
      ])('answer %i to %j', async (status, body) => {
        expect(await admin.status('POST', at('resource_types'), body)).toBe(status);
      });
    });

    describe('properties', () => {
      const property = { name: 'p', type: 'number', title: 'P', minimum: 1.7, default: true };

      it('are made, shown, replaced and deleted', async () => {
        const made = await admin.send('POST', at('properties'), property);

        expect(made.status).toBe(201);
        expect(made.document).toEqual({ ...property, minimum: 1, default: 'True' });
        expect(await reader.do('GET', at('properties', 'p'))).toEqual(made.document);
        expect(await reader.do('GET', at('properties'))).toEqual({ properties: { p: made.document } });
        const changed = await admin.send('PUT', at('properties', 'p'), {
          ...property,
          name: 'q',
          default: [],
        });
        expect(changed).toMatchObject({ status: 200, document: { name: 'q', default: null } });
        expect(await admin.status('GET', at('properties', 'p'))).toBe(404);
        expect(await admin.status('DELETE', at('properties', 'q'))).toBe(204);
        expect(await admin.status('DELETE', at('properties', 'q'))).toBe(404);
      });

      it('are found by the name that they have on a type of resource', async () => {
        await admin.do('POST', at('resource_types'), { name: 'With::Prefix', prefix: 'hw_' });
        await admin.do('POST', at('properties'), { ...property, name: 'x' });

        const found = (name: string, type: string) =>
          reader.send('GET', `${at('properties', name)}?resource_type=${type}`);

        expect(await found('hw_x', 'With::Prefix')).toMatchObject({ status: 200, document: { name: 'x' } });
        expect((await found('x', 'With::Prefix')).status).toBe(404);
        expect((await found('hw_x', 'None')).status).toBe(404);
        expect(await reader.status('GET', `${at('properties', 'x')}?other=1`)).toBe(200);
      });

      it('are not taken for one another', async () => {
        await admin.do('POST', at('properties'), { ...property, name: 'one' });
        await admin.do('POST', at('properties'), { ...property, name: 'two' });

        expect(await admin.status('POST', at('properties'), { ...property, name: 'one' })).toBe(409);
        expect(await admin.status('PUT', at('properties', 'one'), { ...property, name: 'two' })).toBe(409);
        expect(await admin.status('PUT', at('properties', 'one'), { ...property, name: 'one' })).toBe(200);
        expect(await admin.status('DELETE', at('properties'))).toBe(204);
        expect(await reader.do('GET', at('properties'))).toEqual({ properties: {} });
      });

      it.each([
        [400, { type: 'string', title: 'x' }],
        [400, { ...property, type: 'text' }],
        [400, { ...property, minLength: -1 }],
        [400, { ...property, maxItems: 1.5 }],
        [400, { ...property, required: [] }],
        [400, { ...property, required: ['a', 'a'] }],
        [400, { ...property, items: { more: 1 } }],
        [400, { ...property, description: 'é'.repeat(40_000) }],
        [400, { ...property, enum: ['🙂'] }],
        [400, { ...property, self: 'x' }],
        [403, { ...property, updated_at: 'x' }],
      ])('answer %i to %j', async (status, body) => {
        expect(await admin.status('POST', at('properties'), body)).toBe(status);
      });
    });

    describe('objects', () => {
      it('are made, shown, replaced and deleted', async () => {
        const properties = { k: { type: 'integer', title: 'K', default: 3 } };
        const made = await admin.send('POST', at('objects'), { name: 'o', required: ['k', 'l'], properties });

        expect(made.status).toBe(201);
        expect(made.document).toEqual({
          name: 'o',
          required: ['k', 'l'],
          properties: { k: { type: 'integer', title: 'K', default: '3' } },
          created_at: TIME,
          updated_at: TIME,
          self: '/v2/metadefs/namespaces/N/objects/o',
          schema: '/v2/schemas/metadefs/object',
        });
        expect(await reader.do('GET', at('objects', 'o'))).toEqual(made.document);
        const changed = await admin.send('PUT', at('objects', 'o'), { name: 'renamed', description: 'd' });
        expect(changed).toMatchObject({
          status: 200,
          document: { name: 'renamed', description: 'd', required: [], properties: {} },
        });
        expect(await admin.status('DELETE', at('objects', 'renamed'))).toBe(204);
        expect(await admin.status('GET', at('objects', 'renamed'))).toBe(404);
      });

      it('are listed all, whatever is asked for', async () => {
        for (const name of ['a', 'b', 'c']) await admin.do('POST', at('objects'), { name });

        const list = await reader.do('GET', `${at('objects')}?limit=1&marker=none&sort_key=none`);

        expect((list['objects'] as Document[]).map(({ name }) => name)).toEqual(['c', 'b', 'a']);
        expect(list['schema']).toBe('v2/schemas/metadefs/objects');
        expect(Object.keys(list)).toEqual(['objects', 'schema']);
        for (const query of ['limit=0', 'limit=x', 'sort_dir=up', 'visibility=x'])
          expect(await reader.status('GET', `${at('objects')}?${query}`)).toBe(400);
        expect(await admin.status('POST', at('objects'), { name: 'a' })).toBe(409);
        expect(await admin.status('PUT', at('objects', 'a'), { name: 'b' })).toBe(409);
        expect(await admin.status('DELETE', at('objects'))).toBe(204);
        expect((await reader.do('GET', at('objects')))['objects']).toEqual([]);
      });

      it.each([
        [400, {}],
        [400, { name: 'o', required: ['a', 'a'] }],
        [400, { name: 'o', required: ['a,b'] }],
        [400, { name: 'o', properties: { p: { type: 'string' } } }],
        [400, { name: 'o', properties: { ['x'.repeat(81)]: { type: 'string', title: 't' } } }],
        [403, { name: 'o', schema: 'x' }],
      ])('answer %i to %j', async (status, body) => {
        expect(await admin.status('POST', at('objects'), body)).toBe(status);
      });
    });

    describe('tags', () => {
      const tags = (...names: string[]) => ({ tags: names.map((name) => ({ name })) });
      const listed = async (query = '') => {
        const list = await reader.do('GET', `${at('tags')}?${query}`);
        expect(Object.keys(list)).toEqual(['tags']);
        return (list['tags'] as Document[]).map(({ name }) => name);
      };

      it('are made, shown, renamed and deleted', async () => {
        const made = await admin.send('POST', at('tags', 't'));

        expect(made).toMatchObject({ status: 201 });
        expect(made.document).toEqual({ name: 't', created_at: TIME, updated_at: TIME });
        expect(await reader.do('GET', at('tags', 't'))).toEqual(made.document);
        expect(await admin.status('POST', at('tags', 't'))).toBe(409);
        expect(await admin.send('PUT', at('tags', 't'), { name: 'u' })).toMatchObject({
          status: 200,
          document: { name: 'u' },
        });
        await admin.do('POST', at('tags', 'v'));
        expect(await admin.status('PUT', at('tags', 'u'), { name: 'v' })).toBe(409);
        expect(await admin.status('DELETE', at('tags', 'u'))).toBe(204);
        expect(await admin.status('GET', at('tags', 'u'))).toBe(404);
        expect(await admin.status('POST', at('tags', 'x'.repeat(81)))).toBe(400);
        expect(await admin.status('POST', at('tags', '🙂'))).toBe(400);
        expect(await admin.status('POST', at('tags', 'b'), {})).toBe(400);
      });

      it('are replaced at once, or added to', async () => {
        const made = await admin.send('POST', at('tags'), tags('a', 'b', 'c'));

        expect(made).toMatchObject({ status: 201, document: tags('a', 'b', 'c') });
        expect(await listed('sort_key=name&sort_dir=asc')).toEqual(['a', 'b', 'c']);
        const added = await admin.send('POST', at('tags'), tags('d'), { 'x-openstack-append': 'True' });
        expect(added).toMatchObject({ status: 201, document: tags('d') });
        expect(await listed()).toHaveLength(4);
        await admin.do('POST', at('tags'), tags('z'), { 'x-openstack-append': 'no' });
        expect(await listed()).toEqual(['z']);
        expect(await admin.send('POST', at('tags'), tags())).toMatchObject({ status: 201, document: tags() });
        expect(await listed()).toEqual(['z']);
      });

      it('stay as they are where some of the new ones are refused', async () => {
        await admin.do('POST', at('tags'), tags('kept'));

        expect(await admin.status('POST', at('tags'), tags('a', 'a'))).toBe(409);
        expect(
          (await admin.send('POST', at('tags'), tags('a', 'kept'), { 'x-openstack-append': '1' })).status,
        ).toBe(409);
        for (const body of [{}, { tags: null }, tags('x'.repeat(81)), tags('🙂'), { tags: ['a'] }])
          expect(await admin.status('POST', at('tags'), body)).toBe(400);
        expect(await listed()).toEqual(['kept']);
      });

      it('are paged by name', async () => {
        await admin.do('POST', at('tags'), tags('a', 'b', 'c', 'd'));

        expect(await listed('limit=2')).toEqual(['d', 'c']);
        expect(await listed('limit=2&marker=c')).toEqual(['b', 'a']);
        expect(await listed('marker=b&sort_dir=asc&sort_key=name')).toEqual(['c', 'd']);
        expect(await reader.status('GET', `${at('tags')}?marker=none`)).toBe(404);
        for (const query of ['limit=0', 'limit=x', 'sort_dir=up', 'sort_key=x'])
          expect(await reader.status('GET', `${at('tags')}?${query}`)).toBe(400);
        expect(await admin.status('DELETE', at('tags'))).toBe(204);
        expect(await listed()).toEqual([]);
      });

      it('are told apart as the database does it', async () => {
        await admin.do('POST', at('tags'), tags('Case'));

        // MySQL ignores case, as it does for Glance; SQLite doesn't.
        expect(await admin.status('POST', at('tags', 'case'))).toBe(mode === 'distributed' ? 409 : 201);
      });
    });

    it('is changed by many at once without being lost', async () => {
      const names = Array.from({ length: 10 }, (_, index) => `same-${index % 5}`);

      const statuses = await Promise.all(names.map((name) => admin.status('POST', at('objects'), { name })));

      expect(statuses.filter((status) => status === 201)).toHaveLength(5);
      expect(statuses.filter((status) => status === 409)).toHaveLength(5);
      const [deleted, ...others] = await Promise.all([
        admin.status('DELETE', pathOf('N')),
        ...names.map((name) => admin.status('PUT', at('objects', name), { name, description: 'x' })),
        ...names.map((name) => admin.status('POST', at('tags', `${name}-tag`))),
      ]);
      expect(deleted).toBe(204);
      expect(others.every((status) => [200, 201, 404, 409].includes(status))).toBe(true);
      expect(await admin.status('GET', pathOf('N'))).toBe(404);
    });
  },
  { auth: 'headers' },
);
