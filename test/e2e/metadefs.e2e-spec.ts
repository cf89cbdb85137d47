import { describe, expect, it } from '@jest/globals';
import { eachMode } from '@glimpse/testing';
import { type Document, NAMESPACES, pathOf, people } from './metadef-api.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const SIZE = { type: 'integer', title: 'Size', minimum: 0.5, default: 5 };
const WHOLE = {
  display_name: 'All of it',
  description: 'Has one of each',
  visibility: 'public',
  resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'hw_' }],
  properties: { size: SIZE, kind: { type: 'string', title: 'Kind', enum: ['a', null, 1], required: ['x'] } },
  objects: [{ name: 'Thing', required: ['k'], properties: { k: { type: 'string', title: 'K' } } }],
  tags: [{ name: 'T' }],
};

eachMode(
  'Metadata definitions',
  (glimpse) => {
    const { admin, member, reader, stranger, nobody } = people(glimpse);
    const make = (namespace: string, more: object = {}) =>
      admin.do('POST', NAMESPACES, { namespace, ...more });
    const namesOf = (document: Document, key = 'namespaces', name = 'namespace') =>
      (document[key] as Document[]).map((one) => one[name]);

    describe('namespaces', () => {
      it('are made with their defaults and without what they lack', async () => {
        const { status, document, raw } = await admin.send('POST', NAMESPACES, { namespace: 'OS::Plain' });

        expect(status).toBe(201);
        expect(raw.headers.get('location')).toBe(`${glimpse().url}/v2/metadefs/namespaces/OS::Plain`);
        expect(document).toEqual({
          namespace: 'OS::Plain',
          visibility: 'private',
          protected: false,
          owner: 'admin',
          created_at: TIME,
          updated_at: TIME,
          self: '/v2/metadefs/namespaces/OS::Plain',
          schema: '/v2/schemas/metadefs/namespace',
        });
        expect(await admin.do('GET', pathOf('OS::Plain'))).toEqual(document);
      });

      it('are made with all that is in them', async () => {
        const made = await make('Whole', WHOLE);

        expect(made).toMatchObject({
          resource_type_associations: [
            { name: 'OS::Glance::Image', prefix: 'hw_', created_at: TIME, updated_at: TIME },
          ],
          properties: {
            size: { type: 'integer', title: 'Size', minimum: 0, default: '5' },
            kind: { enum: ['a', null, 1], required: ['x'] },
          },
          objects: [
            {
              name: 'Thing',
              required: ['k'],
              properties: { k: { type: 'string', title: 'K' } },
              self: '/v2/metadefs/namespaces/Whole/objects/Thing',
              schema: '/v2/schemas/metadefs/object',
            },
          ],
          tags: [{ name: 'T' }],
        });
        expect(await reader.do('GET', pathOf('Whole'))).toEqual(made);
      });

      it('show the names that properties have on a type of resource', async () => {
        const shown = await admin.do('GET', `${pathOf('Whole')}?resource_type=OS::Glance::Image&other=1`);

        expect(Object.keys(shown['properties'] as object).toSorted()).toEqual(['hw_kind', 'hw_size']);
        expect(shown['objects']).toMatchObject([
          { name: 'Thing', required: ['hw_k'], properties: { hw_k: {} } },
        ]);
        const ofOther = await admin.do('GET', `${pathOf('Whole')}?resource_type=OS::Nova::Flavor`);
        expect(ofOther).toEqual(await admin.do('GET', pathOf('Whole')));
      });

      it('are all or nothing', async () => {
        const tags = [{ name: 'same' }, { name: 'same' }];

        expect(await admin.status('POST', NAMESPACES, { namespace: 'Broken', ...WHOLE, tags })).toBe(409);
        expect(await admin.status('GET', pathOf('Broken'))).toBe(404);
        expect(await admin.status('POST', NAMESPACES, { namespace: 'Whole' })).toBe(409);
      });

      it('are replaced, renamed and keep what is in them', async () => {
        await make('Before', { ...WHOLE, protected: true });

        const changed = await admin.send('PUT', pathOf('Before'), {
          namespace: 'After',
          tags: [{ name: 'no' }],
        });

        expect(changed.status).toBe(200);
        expect(changed.document).toEqual({
          namespace: 'After',
          visibility: 'private',
          protected: false,
          owner: 'admin',
          created_at: TIME,
          updated_at: TIME,
          self: '/v2/metadefs/namespaces/After',
          schema: '/v2/schemas/metadefs/namespace',
        });
        expect(await admin.status('GET', pathOf('Before'))).toBe(404);
        expect(await admin.do('GET', pathOf('After'))).toMatchObject({ tags: [{ name: 'T' }] });
        expect(await admin.status('PUT', pathOf('After'), { namespace: 'Whole' })).toBe(409);
        expect(await admin.status('PUT', pathOf('After'), { display_name: 'x' })).toBe(400);
        expect(await admin.status('PUT', pathOf('Gone'), { namespace: 'Gone' })).toBe(404);
      });

      it('go with all that is in them', async () => {
        await make('Going', WHOLE);

        expect(await admin.status('DELETE', pathOf('Going'))).toBe(204);
        expect(await admin.status('GET', pathOf('Going'))).toBe(404);
        expect(await admin.status('GET', pathOf('Going', 'tags'))).toBe(404);
        expect(await admin.status('DELETE', pathOf('Going'))).toBe(404);
      });

      it.each([
        ['nothing', undefined, 400],
        ['an array', [], 400],
        ['malformed JSON', '{', 400],
        ['no name', {}, 400],
        ['an empty name', { namespace: '' }, 400],
        ['a long name', { namespace: 'x'.repeat(81) }, 400],
        ['a name beyond the BMP', { namespace: '🙂' }, 400],
        ['an unknown key', { namespace: 'n', more: 1 }, 400],
        ['null', { namespace: 'n', description: null }, 400],
        ['a long description', { namespace: 'n', description: 'x'.repeat(501) }, 400],
        ['an unknown visibility', { namespace: 'n', visibility: 'shared' }, 400],
        ['a property without a type', { namespace: 'n', properties: { a: { title: 'A' } } }, 400],
        [
          'a property named __proto__',
          '{"namespace":"n","properties":{"__proto__":{"type":"string","title":"x"}}}',
          400,
        ],
        ['a type that is none', { namespace: 'n', properties: { a: { title: 'A', type: null } } }, 400],
        ['an object that is none', { namespace: 'n', objects: [{}] }, 400],
        ['a time', { namespace: 'n', created_at: 'x' }, 403],
        ['a link', { namespace: 'n', self: 'x', more: 1 }, 403],
      ])('refuse %s', async (_, body, status) => {
        expect(await admin.status('POST', NAMESPACES, body)).toBe(status);
      });

      it('refuse a body where none belongs, and methods that there are not', async () => {
        expect(await admin.status('DELETE', pathOf('Whole'), {})).toBe(400);
        const patched = await admin.send('PATCH', pathOf('Whole'), {});
        expect([patched.status, patched.raw.headers.get('allow')]).toEqual([405, 'GET, PUT, DELETE']);
      });
    });

    describe('names', () => {
      it.each(['Ünïcödé', 'a/b//c', 'a b?c#d%2F', 'x'.repeat(80)])('may be %s', async (name) => {
        await make(name);
        await admin.do('POST', pathOf(name, 'tags', name));
        await admin.do('POST', pathOf(name, 'properties'), { name, type: 'string', title: 'P' });

        expect(await admin.do('GET', pathOf(name, 'tags', name))).toMatchObject({ name });
        const { raw } = await admin.send('GET', pathOf(name));
        const self = (JSON.parse(raw.text) as Document)['self'] as string;
        expect(await admin.status('GET', self.replace('/v2', ''))).toBe(200);
        expect(await admin.do('GET', pathOf(name, 'properties', name))).toMatchObject({ name });
        expect(await admin.status('DELETE', pathOf(name, 'tags', name))).toBe(204);
        expect(await admin.status('DELETE', pathOf(name))).toBe(204);
      });

      it.each(['🙂', 'x'.repeat(81), '\0'])('that nothing can have are not found: %j', async (name) => {
        expect(await admin.status('GET', pathOf(name))).toBe(404);
        expect(await admin.status('GET', pathOf('Whole', 'tags', name))).toBe(404);
        expect(
          await admin.status(
            'GET',
            `${pathOf('Whole', 'properties', 'size')}?resource_type=${encodeURIComponent(name)}`,
          ),
        ).toBe(404);
        expect(await admin.status('GET', `${NAMESPACES}?marker=${encodeURIComponent(name)}`)).toBe(404);
      });
    });

    describe('the list', () => {
      it('pages by name, in either direction', async () => {
        for (const one of ['L1', 'L2', 'L3']) {
          await make(`List-${one}`, {
            visibility: 'public',
            resource_type_associations: [{ name: 'List::Type' }, { name: `List::${one}` }],
          });
        }
        const query = 'resource_types=List::Type&sort_key=namespace&sort_dir=asc';

        const first = await reader.do('GET', `${NAMESPACES}?${query}&limit=2`);
        const second = await reader.do('GET', (first['next'] as string).replace('/v2', ''));

        expect(namesOf(first)).toEqual(['List-L1', 'List-L2']);
        expect(first).toMatchObject({
          schema: '/v2/schemas/metadefs/namespaces',
          first: `/v2/metadefs/namespaces?${query.replaceAll(':', '%3A')}&limit=2`,
        });
        expect(namesOf(second)).toEqual(['List-L3']);
        expect(second).not.toHaveProperty('next');
        expect((first['namespaces'] as Document[])[0]).toMatchObject({
          resource_type_associations: [{ name: 'List::L1' }, { name: 'List::Type' }],
        });
        expect((first['namespaces'] as Document[])[0]).not.toHaveProperty('properties');
        const newestFirst = await reader.do('GET', `${NAMESPACES}?resource_types=List::Type`);
        expect(namesOf(newestFirst)).toEqual(['List-L3', 'List-L2', 'List-L1']);
        const either = await reader.do('GET', `${NAMESPACES}?resource_types=List::L1,List::L3,None`);
        expect(namesOf(either)).toEqual(['List-L3', 'List-L1']);
      });

      it.each(['id', 'display_name', 'description', 'visibility', 'protected', 'owner', 'updated_at'])(
        'sorts by %s and walks on from a marker',
        async (key) => {
          const all = namesOf(await admin.do('GET', `${NAMESPACES}?sort_key=${key}&limit=1000`));
          const walked: unknown[] = [];
          let path = `${NAMESPACES}?sort_key=${key}&limit=2`;
          for (;;) {
            const page = await admin.do('GET', path);
            walked.push(...namesOf(page));
            if (page['next'] === undefined) break;
            path = (page['next'] as string).replace('/v2', '');
          }

          expect(walked).toEqual(all);
        },
      );

      it('is of one visibility, or of none', async () => {
        await make('List-Private');

        const names = async (query: string) => namesOf(await admin.do('GET', `${NAMESPACES}?${query}`));

        expect(await names('visibility=private')).toContain('List-Private');
        expect(await names('visibility=public')).not.toContain('List-Private');
        expect(await names('visibility=')).toEqual([]);
        expect(await names('limit=0')).toEqual([]);
      });

      it.each([
        ['limit=-1', 400],
        ['limit=x', 400],
        ['limit=', 400],
        ['sort_key=x', 400],
        ['sort_key=', 400],
        ['sort_dir=up', 400],
        ['visibility=shared', 400],
        ['marker=', 404],
        ['marker=None', 404],
        ['unknown=1&limit=1', 200],
      ])('answers %s with %i', async (query, status) => {
        expect(await admin.status('GET', `${NAMESPACES}?${query}`)).toBe(status);
      });

      it('forbids a marker that the caller must not know of', async () => {
        expect(await stranger.status('GET', `${NAMESPACES}?marker=List-Private`)).toBe(403);
      });
    });

    describe('who may', () => {
      it('see is everybody what is public, a project what is its own', async () => {
        await make('Own', { owner: 'p1', tags: [{ name: 'a' }] });
        await make('Open', { visibility: 'public', owner: 'p1' });

        const statuses = async (name: string) =>
          Promise.all(
            [admin, member, reader, stranger, nobody].map((one) => one.status('GET', pathOf(name))),
          );

        expect(await statuses('Own')).toEqual([200, 200, 200, 404, 404]);
        expect(await statuses('Open')).toEqual([200, 200, 200, 200, 404]);
        expect(namesOf(await stranger.do('GET', NAMESPACES))).not.toContain('Own');
        expect(namesOf(await member.do('GET', NAMESPACES))).toContain('Own');
        expect(await stranger.status('GET', pathOf('Own', 'tags'))).toBe(404);
        expect(await stranger.status('GET', pathOf('Own', 'tags', 'a'))).toBe(404);
      });

      it.each([
        ['POST', NAMESPACES, { namespace: 'x' }, 403, 403],
        ['PUT', pathOf('Own'), { namespace: 'Own' }, 403, 404],
        ['DELETE', pathOf('Own'), undefined, 403, 404],
        ['POST', pathOf('Own', 'tags', 'b'), undefined, 403, 404],
        ['POST', pathOf('Own', 'tags'), { tags: [{ name: 'x' }] }, 403, 404],
        ['DELETE', pathOf('Own', 'tags'), undefined, 403, 404],
        ['POST', pathOf('Own', 'objects'), { name: 'o' }, 403, 404],
        ['POST', pathOf('Own', 'properties'), { name: 'p', type: 'string', title: 'P' }, 403, 404],
        ['POST', pathOf('Own', 'resource_types'), { name: 'r' }, 403, 404],
      ])('%s %s', async (method, path, body, ofMember, ofStranger) => {
        expect(await member.status(method, path, body)).toBe(ofMember);
        expect(await stranger.status(method, path, body)).toBe(ofStranger);
        expect(await nobody.status(method, path, body)).toBe(404);
      });

      it('nothing is what somebody without a role may', async () => {
        for (const path of [NAMESPACES, '/metadefs/resource_types', pathOf('Open', 'objects')])
          expect(await nobody.status('GET', path)).toBe(404);
        expect(await nobody.status('GET', '/schemas/metadefs/tag')).toBe(200);
      });
    });

    describe('protected namespaces', () => {
      it('lose nothing, but take more and change', async () => {
        await make('Safe', { ...WHOLE, protected: true });

        for (const path of [
          [],
          ['objects'],
          ['properties'],
          ['tags'],
          ['objects', 'Thing'],
          ['properties', 'size'],
          ['tags', 'T'],
          ['resource_types', 'OS::Glance::Image'],
        ])
          expect(await admin.status('DELETE', pathOf('Safe', ...path))).toBe(403);
        expect(await admin.status('PUT', pathOf('Safe', 'tags', 'T'), { name: 'U' })).toBe(200);
        expect(await admin.status('POST', pathOf('Safe', 'objects'), { name: 'More' })).toBe(201);
        expect(await admin.status('POST', pathOf('Safe', 'tags'), { tags: [{ name: 'V' }] })).toBe(201);
        expect(namesOf(await admin.do('GET', pathOf('Safe', 'tags')), 'tags', 'name')).toEqual(['V']);
      });
    });

    describe('schemas', () => {
      it.each([
        ['namespace', 'namespace', ['namespace']],
        ['resource_type', 'resource_type_association', ['name']],
        ['property', 'property', ['name', 'title', 'type']],
        ['object', 'object', ['name']],
        ['tag', 'tag', ['name']],
      ])('there is one of a %s', async (path, name, required) => {
        const schema = await member.do('GET', `/schemas/metadefs/${path}`);

        expect(schema).toMatchObject({ name, additionalProperties: false });
        expect((schema['required'] as string[]).toSorted()).toEqual(required);
      });

      it.each([
        ['namespaces', 'namespaces'],
        ['resource_types', 'resource_type_associations'],
        ['properties', 'properties'],
        ['objects', 'objects'],
        ['tags', 'tags'],
      ])('there is one of %s', async (path, name) => {
        const schema = await member.do('GET', `/schemas/metadefs/${path}`);

        expect(schema).toMatchObject({
          name,
          properties: { [name]: {}, first: { type: 'string' }, next: { type: 'string' } },
          links: [
            { rel: 'first', href: '{first}' },
            { rel: 'next', href: '{next}' },
            { rel: 'describedby', href: '{schema}' },
          ],
        });
      });

      it('there is no other', async () => {
        expect(await member.status('GET', '/schemas/metadefs/constructor')).toBe(404);
        expect(await member.status('DELETE', '/schemas/metadefs/tag')).toBe(405);
      });
    });
  },
  { auth: 'headers' },
);
