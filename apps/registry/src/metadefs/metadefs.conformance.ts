import type { MetadefNamespaceQuery, NewMetadefContent, NewMetadefNamespace } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';

const aNamespace = (namespace: string, more: Partial<NewMetadefNamespace> = {}): NewMetadefNamespace => ({
  namespace,
  displayName: null,
  description: null,
  visibility: 'private',
  protected: false,
  ...more,
});
const someContent = (more: Partial<NewMetadefContent> = {}): NewMetadefContent => ({
  associations: [],
  objects: [],
  properties: {},
  tags: [],
  ...more,
});
const aQuery = (more: Partial<MetadefNamespaceQuery> = {}): MetadefNamespaceQuery => ({
  limit: 100,
  sortKey: 'namespace',
  sortDirection: 'asc',
  ...more,
});
const CONTENT = someContent({
  associations: [{ name: 'Type', prefix: 'p_', propertiesTarget: null }],
  objects: [
    { name: 'O', description: null, required: ['a', 'b'], properties: { a: { type: 'string', title: 'A' } } },
  ],
  properties: { constructor: { type: 'string', title: 'C', default: '5' } },
  tags: ['t'],
});
const TABLES = [
  'metadef_objects',
  'metadef_properties',
  'metadef_tags',
  'metadef_namespace_resource_types',
] as const;

export function describeMetadefs(registry: () => RegistryUnderTest, url: () => string): void {
  const admin = anAdmin();
  const metadefs = () => registry().metadefs;
  const create = (name: string, more: Partial<NewMetadefNamespace> = {}, content = someContent()) =>
    metadefs().namespaces.create(admin, aNamespace(name, more), content);

  it('keeps a namespace and all that is in it', async () => {
    const made = await create('Whole', { displayName: 'W', description: 'D' }, CONTENT);

    expect(await metadefs().namespaces.get(admin, 'Whole')).toEqual(made);
    expect(made).toMatchObject({
      namespace: { displayName: 'W', owner: 'admin' },
      content: {
        associations: [{ name: 'Type', prefix: 'p_', propertiesTarget: null }],
        objects: [{ name: 'O', required: ['a', 'b'], properties: { a: { title: 'A' } } }],
        properties: { constructor: { default: '5' } },
        tags: [{ name: 't' }],
      },
    });
  });

  it('reads what the loader of Glance wrote as Glance shows it', async () => {
    await create('Loaded');
    const [row] = await registry().rows('metadef_namespaces', "namespace = 'Loaded'");
    await registry().insert('metadef_properties', {
      namespace_id: row!.id,
      name: 'p',
      json_schema: '{"type": "integer", "title": "P", "default": 5, "minimum": 1.5}',
      created_at: '2020-01-01 00:00:00',
    });

    const { properties } = (await metadefs().namespaces.get(admin, 'Loaded')).content;

    expect({ ...properties['p'] }).toEqual({ type: 'integer', title: 'P', default: '5', minimum: 1 });
  });

  it('leaves nothing of a namespace that could not be made whole', async () => {
    const broken = create('Broken', {}, someContent({ ...CONTENT, tags: ['x', 'x'] }));

    await expect(broken).rejects.toMatchObject({ code: 'METADEF_DUPLICATE' });
    await expect(metadefs().namespaces.get(admin, 'Broken')).rejects.toMatchObject({
      code: 'NAMESPACE_NOT_FOUND',
    });
  });

  it('leaves no row of a namespace that is deleted but the resource type', async () => {
    await create('Deleted', {}, CONTENT);
    const [row] = await registry().rows('metadef_namespaces', "namespace = 'Deleted'");

    await metadefs().namespaces.delete(admin, 'Deleted');

    for (const table of TABLES) expect(await registry().rows(table, `namespace_id = ${row!.id}`)).toEqual([]);
    expect(await metadefs().resourceTypes.list(admin)).toContainEqual(
      expect.objectContaining({ name: 'Type' }),
    );
  });

  it('wants an owner', async () => {
    const ofNobody = metadefs().namespaces.create(anAdmin(null), aNamespace('Nobody'), someContent());

    await expect(ofNobody).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('refuses text that does not fit', async () => {
    await create('Full');
    const large = { type: 'string', title: 'x'.repeat(65_536) };

    await expect(
      metadefs().properties.create(admin, 'Full', { name: 'p', property: large }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('announces everything that comes with a namespace, in the order of Glance, and notes it once', async () => {
    await create('Announced', {}, CONTENT);

    const events = await registry().rows('outbox', "subject LIKE 'Announced%' ORDER BY id");

    expect(events.map(({ name }) => name)).toEqual([
      'metadef_namespace.created',
      'metadef_resource_type.created',
      'metadef_object.created',
      'metadef_tag.created',
      'metadef_property.created',
      'audit.recorded',
    ]);
  });

  it('announces every other change with what was there before', async () => {
    await create('Changing', {}, CONTENT);
    const { namespaces, objects, properties, tags, resourceTypes } = metadefs();
    const object = { name: 'O2', description: null, required: [], properties: {} };

    await objects.update(admin, 'Changing', 'O', object);
    await properties.update(admin, 'Changing', 'constructor', { name: 'p2', property: { type: 'string' } });
    await tags.rename(admin, 'Changing', 't', 't2');
    await resourceTypes.dissociate(admin, 'Changing', 'Type');
    await objects.delete(admin, 'Changing', 'O2');
    await properties.delete(admin, 'Changing', 'p2');
    await tags.delete(admin, 'Changing', 't2');
    await objects.deleteAll(admin, 'Changing');
    await properties.deleteAll(admin, 'Changing');
    await tags.deleteAll(admin, 'Changing');
    await namespaces.update(admin, 'Changing', aNamespace('Changed'));
    await namespaces.delete(admin, 'Changed');

    const rows = await registry().rows(
      'outbox',
      "subject LIKE 'Chang%' AND name <> 'audit.recorded' ORDER BY id",
    );
    const events = rows.slice(5).map(({ name, payload }) => [name, JSON.parse(payload) as unknown]);
    expect(events).toEqual([
      [
        'metadef_object.updated',
        expect.objectContaining({ previous: expect.objectContaining({ name: 'O' }) }),
      ],
      ['metadef_property.updated', expect.objectContaining({ name: 'p2', previousName: 'constructor' })],
      ['metadef_tag.updated', expect.objectContaining({ previous: expect.objectContaining({ name: 't' }) })],
      ['metadef_resource_type.deleted', expect.objectContaining({ namespace: 'Changing' })],
      [
        'metadef_object.deleted',
        expect.objectContaining({ object: expect.objectContaining({ name: 'O2' }) }),
      ],
      ['metadef_property.deleted', expect.objectContaining({ name: 'p2' })],
      ['metadef_tag.deleted', expect.objectContaining({ tag: expect.objectContaining({ name: 't2' }) })],
      ['metadef_namespace.objects_deleted', expect.anything()],
      ['metadef_namespace.properties_deleted', expect.anything()],
      ['metadef_namespace.tags_deleted', expect.anything()],
      [
        'metadef_namespace.updated',
        {
          namespace: expect.objectContaining({ namespace: 'Changed' }),
          previous: expect.objectContaining({ namespace: 'Changing' }),
        },
      ],
      ['metadef_namespace.deleted', expect.anything()],
    ]);
  });

  it('changes nothing, and announces nothing, where a change is refused', async () => {
    await create('Refused', { protected: true }, CONTENT);
    const before = await registry().rows('outbox');

    const refusals = [
      metadefs().namespaces.delete(admin, 'Refused'),
      metadefs().tags.deleteAll(admin, 'Refused'),
      metadefs().resourceTypes.dissociate(admin, 'Refused', 'Type'),
    ];

    for (const refusal of refusals)
      await expect(refusal).rejects.toMatchObject({ code: 'METADEF_PROTECTED' });
    await expect(metadefs().tags.create(admin, 'Refused', 't')).rejects.toMatchObject({
      code: 'METADEF_DUPLICATE',
    });
    expect(await registry().rows('outbox')).toHaveLength(before.length);
  });

  it('lets one of many make the same thing, and loses none of the others, in two registries', async () => {
    const other = await startRegistryOn(url());
    const both = [registry().metadefs, other.metadefs];
    await create('Crowded');

    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) =>
        both[index % 2]!.tags.create(admin, 'Crowded', `t${index % 4}`),
      ),
    );
    const types = await Promise.allSettled(
      ['A', 'B', 'C', 'D'].flatMap((name) => [
        create(
          `Typed-${name}`,
          {},
          someContent({ associations: [{ name: 'New', prefix: null, propertiesTarget: null }] }),
        ),
      ]),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(types.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect((await metadefs().namespaces.get(admin, 'Crowded')).content.tags).toHaveLength(4);
    expect(await registry().rows('metadef_resource_types', "name = 'New'")).toHaveLength(1);
    await other.close();
  });

  describe('listing', () => {
    it('shows everybody what they may see, with what it is associated with', async () => {
      await create('List-1', { visibility: 'public' }, CONTENT);
      await create('List-2', { owner: 'p1' });
      await create('List-3', { owner: 'p2' });
      const names = async (caller = admin, more: Partial<MetadefNamespaceQuery> = {}) => {
        const { namespaces } = await metadefs().lists.list(caller, aQuery(more));
        return namespaces
          .map(({ namespace }) => namespace.namespace)
          .filter((name) => name.startsWith('List'));
      };

      expect(await names()).toEqual(['List-1', 'List-2', 'List-3']);
      expect(await names(aCaller('p1'))).toEqual(['List-1', 'List-2']);
      expect(await names(aCaller(null))).toEqual(['List-1']);
      expect(await names(admin, { visibility: 'private' })).toEqual(['List-2', 'List-3']);
      expect(await names(aCaller('p2'), { marker: 'List-1' })).toEqual(['List-3']);
      const { namespaces } = await metadefs().lists.list(admin, aQuery({ resourceTypes: ['Type', 'None'] }));
      expect(
        namespaces.find(({ namespace }) => namespace.namespace === 'List-1')?.associations,
      ).toMatchObject([{ name: 'Type', prefix: 'p_' }]);
    });

    it('takes as many statements for a hundred namespaces as for one', async () => {
      for (let index = 0; index < 30; index += 1) await create(`Many-${index}`, {}, CONTENT);
      const database = registry().database;
      const query = database.query.bind(database);
      let count = 0;
      database.query = (sql, values) => {
        count += 1;
        return query(sql, values);
      };

      const page = await metadefs().lists.list(admin, aQuery());

      database.query = query;
      expect(page.namespaces.length).toBeGreaterThan(30);
      expect(count).toBe(2);
    });
  });
}
