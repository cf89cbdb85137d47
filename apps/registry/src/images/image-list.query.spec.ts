import type { ImageQuery } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { anImageQuery } from '@glimpse/testing';
import { imageListQuery } from './image-list.query.js';

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

describe('imageListQuery', () => {
  it('binds every value, so that none becomes SQL', () => {
    const evil = `'"\\; DROP TABLE images; --`;
    const statement = imageListQuery(
      anImageQuery({
        anyOf: [{ column: 'name', values: [evil, evil] }],
        tags: [evil],
        properties: { [evil]: evil },
        times: [{ column: 'created_at', operator: 'gt', value: evil }],
      }),
      { isAdmin: false, projectId: evil },
      { ...marker, id: evil },
    );

    expect(statement?.sql).not.toContain('DROP');
    expect(statement?.sql.split('?')).toHaveLength((statement?.values.length ?? 0) + 1);
  });

  it.each<[string, Partial<ImageQuery>, typeof member, number]>([
    ['public, owned and shared images for a project', {}, member, 3],
    ['one visibility', { visibility: 'community' }, member, 1],
    ['own private images', { visibility: 'private' }, member, 1],
    ['own and shared images', { visibility: 'shared' }, member, 2],
    ['all', { visibility: 'all' }, member, 4],
    ['all images for an admin', {}, admin, 1],
  ])('looks once in each place where %s may be', (_, query, viewer, selects) => {
    const sql = imageListQuery(anImageQuery(query), viewer, undefined)?.sql ?? '';

    expect(sql.match(/FROM images i/g)).toHaveLength(selects);
  });

  it('does not ask the database for what can not be', () => {
    expect(imageListQuery(anImageQuery({ visibility: '' }), admin, undefined)).toBeNull();
    expect(
      imageListQuery(anImageQuery({ visibility: 'private' }), { isAdmin: false, projectId: null }, undefined),
    ).toBeNull();
    expect(imageListQuery(anImageQuery({ tags: ['🙂'] }), admin, undefined)).toBeNull();
    expect(
      imageListQuery(anImageQuery({ anyOf: [{ column: 'size', values: ['big'] }] }), admin, undefined),
    ).toBeNull();
  });

  it('goes on after the marker in the order of the keys, an absent value counting as empty', () => {
    const query = anImageQuery({ sort: [{ key: 'name', direction: 'asc' }] });

    const statement = imageListQuery(query, admin, marker);

    expect(statement?.sql).toContain(
      "COALESCE(i.name, '') >= ? AND (COALESCE(i.name, '') > ? OR COALESCE(i.name, '') = ? AND i.created_at < ? OR COALESCE(i.name, '') = ? AND i.created_at = ? AND i.id < ?)",
    );
    expect(statement?.sql).toContain(
      "ORDER BY COALESCE(i.name, '') asc, i.created_at desc, i.id desc LIMIT 25",
    );
    expect(statement?.values.slice(-7)).toEqual(['', '', '', marker.created_at, '', marker.created_at, 'm']);
  });

  it('breaks ties once', () => {
    const query = anImageQuery({ sort: [{ key: 'created_at', direction: 'asc' }], tieDirection: 'asc' });

    expect(imageListQuery(query, admin, undefined)?.sql).toMatch(
      /ORDER BY i\.created_at asc, i\.id asc LIMIT/,
    );
  });
});
