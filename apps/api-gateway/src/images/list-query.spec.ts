import { describe, expect, it } from '@jest/globals';
import { parseQueryString } from '../http/query-string.js';
import { parseListQuery } from './list-query.js';

const parse = (query: string) =>
  parseListQuery(parseQueryString(`/v2/images?${query}`), { pageDefault: 25, pageMax: 1000 });

describe('parseListQuery', () => {
  it('has defaults', () => {
    expect(parse('')).toEqual({
      limit: 25,
      sort: [{ key: 'created_at', direction: 'desc' }],
      tieDirection: 'desc',
      anyOf: [],
      ranges: [],
      times: [],
      memberStatus: 'accepted',
      osHidden: false,
      tags: [],
      properties: {},
    });
  });

  it.each([
    ['limit=0', 0],
    ['limit=1000', 1000],
    ['limit=1001', 1000],
    ['limit=99999999999999999999', 1000],
    ['limit=%205', 5],
  ])('%s is %i', (query, limit) => {
    expect(parse(query).limit).toBe(limit);
  });

  it.each([
    'limit=',
    'limit=-1',
    'limit=x',
    'limit=1.5',
    'limit=0x10',
    'visibility=secret',
    'visibility=Public',
    'member_status=',
    'member_status=maybe',
    'os_hidden=yes',
    'os_hidden=',
    'protected=TRUE',
    'protected=1',
    'size_min=x',
    'size_max=',
    'min_ram_min=1.5',
    'foo_min=1',
    'name_max=1',
    'created_at_min=1',
    'properties=x',
    'locations=x',
    'members=x',
    '__proto__=x',
    'changes-since=2020-01-01',
    'changes-since=',
    'name=nlike:x',
    'created_at=like:2020',
    'name=a:b',
    'id=nin:a',
    'name=in:"a',
    'name=in:a"b"',
    'name=in:"a"b',
    'created_at=yesterday',
    'created_at=ge:2020-01-01',
    'created_at=',
    'created_at=2020-02-30',
    'updated_at=in:2020-01-01',
    'sort=',
    'sort=owner',
    'sort=name:up',
    'sort=name,',
    'sort=NAME',
    'sort=name:ASC',
    'sort_key=',
    'sort_key=min_ram',
    'sort_dir=',
    'sort_dir=up',
    'sort=name&sort_key=id',
    'sort=name&sort_dir=asc',
    'sort_dir=asc&sort_dir=desc',
    'sort_key=name&sort_dir=asc&sort_dir=desc',
    'sort_key=name&sort_key=id&sort_key=size&sort_dir=asc&sort_dir=asc',
    'name=%F0%9F%98%80',
    'tag=%F0%9F%98%80',
  ])('refuses %s', (query) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    ['name=a', ['a']],
    ['name=eq:a:b', ['a:b']],
    ['name=2020-01-01T00:00:00Z', ['2020-01-01T00:00:00Z']],
    ['name=in:a,b', ['a', 'b']],
    ['name=in:"a,b",c', ['a,b', 'c']],
    ['name=in:"a%5C"b"', ['a\\"b']],
    ['name=in:', []],
    ['name=in:a,,b', ['a', '', 'b']],
    ['name=', ['']],
    ['name=a&name=b', ['b']],
  ])('%s', (query, values) => {
    expect(parse(query).anyOf).toEqual([{ column: 'name', values }]);
  });

  it.each([
    ['name=like:deb', 'name', 'deb'],
    ['name=like:a:b,c', 'name', 'a:b,c'],
    ['name=like:100%25', 'name', '100%'],
    ['id=like:', 'id', ''],
    ['status=like:a', 'status', 'a'],
  ])('%s is what begins so', (query, column, prefix) => {
    expect(parse(query)).toMatchObject({ anyOf: [], prefixes: [{ column, prefix }] });
  });

  it('counts when it is told to, and takes every other count for a custom property', () => {
    expect(parse('count=true')).toMatchObject({ isCounted: true, properties: {} });
    expect(parse('count=3')).toMatchObject({ properties: { count: '3' } });
    expect(parse('count=3').isCounted).toBeUndefined();
    expect(parse('tag=like:x&Foo=like:y')).toMatchObject({ tags: ['like:x'], properties: { Foo: 'like:y' } });
  });

  it('compares numbers and hashes for equality, whatever they look like', () => {
    expect(parse('min_ram=x&checksum=in:a').anyOf).toEqual([
      { column: 'min_ram', values: ['x'] },
      { column: 'checksum', values: ['in:a'] },
    ]);
  });

  it.each([
    ['created_at=2020-01-02T03:04:05Z', 'eq', '2020-01-02T03:04:05Z'],
    ['created_at=gte:2020-01-02T03:04:05.999', 'gte', '2020-01-02T03:04:05Z'],
    ['created_at=neq:2020-01-02T03:04:05%2B01:30', 'neq', '2020-01-02T01:34:05Z'],
    ['created_at=lt:2020-01-02', 'lt', '2020-01-02T00:00:00Z'],
    ['created_at=eq:20200102T030405Z', 'eq', '2020-01-02T03:04:05Z'],
  ])('%s', (query, operator, value) => {
    expect(parse(query).times).toEqual([{ column: 'created_at', operator, value }]);
  });

  it('takes unknown keys for custom properties', () => {
    expect(parse('is_public=1&tags=x&Foo=a&Foo=b&deleted=true').properties).toEqual({
      is_public: '1',
      tags: 'x',
      Foo: 'b',
    });
  });

  it('takes a second limit, visibility or member_status for a custom property', () => {
    const query = parse('limit=3&limit=4&visibility=all&visibility=x&member_status=all&member_status=y');

    expect(query).toMatchObject({ limit: 3, visibility: 'all', memberStatus: 'all' });
    expect(query.properties).toEqual({ limit: '4', visibility: 'x', member_status: 'y' });
  });

  it('takes every tag, trimmed', () => {
    expect(parse('tag=a&tag=+b+').tags).toEqual(['a', 'b']);
  });

  it('reads flags as Glance does', () => {
    expect(parse('os_hidden=TRUE&protected=false')).toMatchObject({ osHidden: true, protected: false });
    expect(parse('visibility=').visibility).toBe('');
    expect(parse('marker=').marker).toBe('');
  });

  it('reads ranges', () => {
    expect(parse('size_min=1&virtual_size_max=-2').ranges).toEqual([
      { column: 'size', min: 1 },
      { column: 'virtual_size', max: -2 },
    ]);
  });

  it.each([
    ['sort=name', [['name', 'desc']], 'desc'],
    ['sort=name:asc', [['name', 'asc']], 'asc'],
    [
      'sort=name:asc,size',
      [
        ['name', 'asc'],
        ['size', 'desc'],
      ],
      'desc',
    ],
    ['sort=name:', [['name', 'desc']], 'desc'],
    ['sort_key=name', [['name', 'desc']], 'desc'],
    ['sort_dir=asc', [['created_at', 'asc']], 'asc'],
    [
      'sort_key=name&sort_key=id&sort_dir=asc',
      [
        ['name', 'asc'],
        ['id', 'asc'],
      ],
      'asc',
    ],
    [
      'sort_key=name&sort_key=id&sort_dir=asc&sort_dir=desc',
      [
        ['name', 'asc'],
        ['id', 'desc'],
      ],
      'desc',
    ],
  ] as const)('%s', (query, sort, tieDirection) => {
    expect(parse(query)).toMatchObject({
      sort: sort.map(([key, direction]) => ({ key, direction })),
      tieDirection,
    });
  });
});
