import type { ImageQuery } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { anImageQuery } from '@glimpse/testing';
import { imageCountQuery, imageListQuery as listQuery } from './image-list.query.js';
import type { Viewer } from './image-list.ways.js';
import type { ReadImageRow } from './image-rows.js';

const member = { isAdmin: false, projectId: 'p1' };
const admin = { isAdmin: true, projectId: 'p1' };
const marker = {
  id: 'm',
  name: null,
  status: 'active',
  visibility: 'public',
  protected: 0,
  os_hidden: 0,
  owner: null,
  disk_format: null,
  container_format: null,
  size: null,
  virtual_size: null,
  checksum: null,
  os_hash_algo: null,
  os_hash_value: null,
  min_ram: 0,
  min_disk: 0,
  created_at: '2026-01-01 00:00:00',
  updated_at: null,
} as const;

const imageListQuery = (query: ImageQuery, viewer: Viewer, behind: ReadImageRow | undefined) =>
  listQuery(query, viewer, behind, 'sqlite');
const selectsOf = (sql: string | undefined) => sql?.match(/FROM images i WHERE/g)?.length ?? 0;
const byName = { sort: [{ key: 'name', direction: 'asc' }] } as const satisfies Partial<
  Record<keyof ImageQuery, unknown>
>;
const sortedByName = (more: Partial<ImageQuery> = {}) => anImageQuery({ sort: [...byName.sort], ...more });

describe('imageListQuery', () => {
  it('binds every value, so that none becomes SQL', () => {
    const evil = `'"\\; DROP TABLE images; --`;
    const query = anImageQuery({
      anyOf: [{ column: 'name', values: [evil, evil] }],
      prefixes: [{ column: 'name', prefix: evil }],
      tags: [evil],
      properties: { [evil]: evil },
      times: [{ column: 'created_at', operator: 'gt', value: evil }],
    });
    const viewer = { isAdmin: false, projectId: evil };

    for (const statement of [
      imageListQuery(query, viewer, { ...marker, id: evil }),
      imageCountQuery(query, viewer, 10),
    ]) {
      expect(statement?.sql).not.toContain('DROP');
      expect(statement?.sql.split('?')).toHaveLength((statement?.values.length ?? 0) + 1);
    }
  });

  it.each<[string, Partial<ImageQuery>, typeof member, number]>([
    ['public, owned and shared images for a project', {}, member, 3],
    ['one visibility', { visibility: 'community' }, member, 1],
    ['own private images', { visibility: 'private' }, member, 1],
    ['own and shared images', { visibility: 'shared' }, member, 2],
    ['all', { visibility: 'all' }, member, 4],
    ['public, private, shared and own community images for an admin', {}, admin, 4],
    ['all images for an admin', { visibility: 'all' }, admin, 4],
  ])('looks once in each place where %s may be', (_, query, viewer, selects) => {
    expect(selectsOf(imageListQuery(anImageQuery(query), viewer, undefined)?.sql)).toBe(selects);
    expect(selectsOf(imageCountQuery(anImageQuery(query), viewer, 10)?.sql)).toBe(selects);
  });

  it('does not ask the database for what can not be', () => {
    for (const [query, viewer] of [
      [anImageQuery({ visibility: '' }), admin],
      [anImageQuery({ visibility: 'private' }), { isAdmin: false, projectId: null }],
      [anImageQuery({ tags: ['🙂'] }), admin],
      [anImageQuery({ prefixes: [{ column: 'name', prefix: '🙂' }] }), admin],
      [anImageQuery({ anyOf: [{ column: 'size', values: ['big'] }] }), admin],
    ] as const) {
      expect(imageListQuery(query, viewer, undefined)).toBeNull();
      expect(imageCountQuery(query, viewer, 10)).toBeNull();
    }
    expect(imageListQuery(anImageQuery({ limit: 0 }), admin, undefined)).toBeNull();
  });

  it('plans no more than one SELECT for very many filters', () => {
    const tags = Array.from({ length: 100 }, (_, at) => `${at}`);

    expect(selectsOf(imageListQuery(sortedByName({ tags }), member, undefined)?.sql)).toBe(1);
    expect(selectsOf(imageCountQuery(anImageQuery({ tags }), member, 10)?.sql)).toBe(1);
  });

  it('reads images with and without the first key apart, each in the order of an index', () => {
    const sql = imageListQuery(sortedByName({ visibility: 'public' }), member, undefined)?.sql;

    expect(sql).toContain('i.name IS NOT NULL');
    expect(sql).toContain('ORDER BY i.name asc, i.created_at desc, i.id desc LIMIT 25');
    expect(sql).toContain('i.name IS NULL');
    expect(sql).toContain('ORDER BY i.created_at desc, i.id desc LIMIT 25');
    expect(selectsOf(sql)).toBe(2);
  });

  it.each([
    ['before it, where the marker has a greater name', 'web', 'asc', 1],
    ['after it, where the order is reversed', 'web', 'desc', 2],
    ['in one order with it, where the marker has none', null, 'asc', 2],
    ['where the database says, for a name that may count as empty', ' ', 'asc', 2],
  ] as const)('finds images without a name %s', (_, name, direction, selects) => {
    const query = anImageQuery({ sort: [{ key: 'name', direction }], visibility: 'public' });

    expect(selectsOf(imageListQuery(query, member, { ...marker, name })?.sql)).toBe(selects);
  });

  it('keeps MySQL from the indexes that have an order and nothing else', () => {
    const query = anImageQuery({ visibility: 'public' });

    expect(listQuery(query, member, undefined, 'mysql')?.sql).toContain('IGNORE INDEX FOR ORDER BY');
    expect(listQuery(query, member, undefined, 'sqlite')?.sql).not.toContain('INDEX');
  });

  it('leaves MySQL the indexes of what it sorts and filters by, and no other', () => {
    const query = sortedByName({
      visibility: 'public',
      ranges: [{ column: 'size', min: 1 }],
      times: [{ column: 'created_at', operator: 'gt', value: '2026-01-01T00:00:00Z' }],
    });
    const ignored = /IGNORE INDEX \(([^)]*)\)/.exec(
      listQuery(query, member, undefined, 'mysql')?.sql ?? '',
    )?.[1];

    expect(ignored?.split(', ')).toEqual(
      ['status', 'container_format', 'disk_format', 'id', 'updated_at'].map(
        (key) => `glimpse_images_by_${key}`,
      ),
    );
  });

  it('takes wildcards in a prefix for what they are', () => {
    const query = anImageQuery({ prefixes: [{ column: 'name', prefix: '50%_!' }] });

    expect(imageListQuery(query, admin, undefined)?.values).toContain('50!%!_!!%');
  });

  it('breaks ties once, and none by an id', () => {
    const order = (key: 'created_at' | 'id') =>
      imageListQuery(
        anImageQuery({ sort: [{ key, direction: 'asc' }], tieDirection: 'asc', visibility: 'public' }),
        member,
        undefined,
      )?.sql;

    expect(order('created_at')).toContain('ORDER BY i.created_at asc, i.id asc LIMIT');
    expect(order('id')).toContain('ORDER BY i.id asc LIMIT');
  });
});
