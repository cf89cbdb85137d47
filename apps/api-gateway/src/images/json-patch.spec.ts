import { describe, expect, it } from '@jest/globals';
import { createImageSchema } from './images.schema.js';
import { parsePatch, patchDialect } from './json-patch.js';

const schema = createImageSchema({ diskFormats: ['raw', 'qcow2'], containerFormats: ['bare'] });
const v21 = (...operations: unknown[]) => parsePatch(operations, 'v2.1', schema);
const v20 = (...operations: unknown[]) => parsePatch(operations, 'v2.0', schema);
const add = (path: unknown, value?: unknown) => ({ op: 'add', path, value });

describe('patchDialect', () => {
  it('knows both media types, whatever their parameters', () => {
    expect(patchDialect('application/openstack-images-v2.0-json-patch')).toBe('v2.0');
    expect(patchDialect('application/openstack-images-v2.1-json-patch; charset=utf-8')).toBe('v2.1');
  });

  it.each([
    undefined,
    '',
    'application/json',
    'application/json-patch+json',
    'Application/OpenStack-images-v2.1-json-patch',
  ])('refuses %s with 415 and says what it takes', (contentType) => {
    expect(() => patchDialect(contentType)).toThrow(
      expect.objectContaining({
        status: 415,
        headers: { 'accept-patch': expect.stringContaining('v2.0-json-patch, ') },
      }),
    );
  });
});

describe('parsePatch', () => {
  it('turns operations into changes', () => {
    expect(
      v21(
        add('/name', 'n'),
        { op: 'replace', path: '/tags', value: ['a'] },
        { op: 'remove', path: '/foo', value: 'ignored', more: 1 },
        add('/a~1b~0c', 'x'),
        add('/', 'empty name'),
        add('/kernel_id', null),
        add('/stores', 'text'),
      ),
    ).toEqual([
      { target: 'attribute', op: 'set', name: 'name', value: 'n' },
      { target: 'attribute', op: 'replace', name: 'tags', value: ['a'] },
      { target: 'property', op: 'remove', name: 'foo' },
      { target: 'property', op: 'set', name: 'a/b~c', value: 'x' },
      { target: 'property', op: 'set', name: '', value: 'empty name' },
      { target: 'property', op: 'set', name: 'kernel_id', value: null },
      { target: 'property', op: 'set', name: 'stores', value: 'text' },
    ]);
  });

  it('keeps add as add in the old dialect', () => {
    expect(v20({ add: '/foo', value: 'x' }, { remove: '/name' })).toEqual([
      { target: 'property', op: 'add', name: 'foo', value: 'x' },
      { target: 'attribute', op: 'remove', name: 'name' },
    ]);
  });

  it('passes locations on', () => {
    const value = { url: 'file:///x', metadata: {} };

    expect(v21(add('/locations/-', value), { op: 'remove', path: '/locations/0' })).toEqual([
      { target: 'locations', op: 'set', position: '-', value },
      { target: 'locations', op: 'remove', position: '0' },
    ]);
    expect(v21({ op: 'replace', path: '/locations', value: [value] })).toEqual([
      { target: 'locations', op: 'replace', position: null, value: [value] },
    ]);
  });

  it('is empty for an empty array', () => {
    expect(v21()).toEqual([]);
  });

  it.each([[undefined], [{}], [null]])('wants an array, not %j', (body) => {
    expect(() => parsePatch(body, 'v2.1', schema)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });

  it.each([
    ['an operation that is no object', 'x'],
    ['an operation that is an array', []],
    ['no op', { path: '/a', value: 'x' }],
    ['an unknown op', { op: 'move', path: '/a', from: '/b' }],
    ['no path', { op: 'add', value: 'x' }],
    ['a path that is no string', add(5, 'x')],
    ['no value', { op: 'replace', path: '/a' }],
    ['no slash', add('name', 'x')],
    ['an empty path', add('', 'x')],
    ['adjacent slashes', add('/a//b', 'x')],
    ['leading double slash', add('//a', 'x')],
    ['a trailing slash', add('/a/', 'x')],
    ['a wrong escape', add('/a~2', 'x')],
    ['a lone tilde', add('/a~', 'x')],
    ['two segments', add('/a/b', 'x')],
    ['a position in tags', add('/tags/-', 'x')],
    ['locations without a position', add('/locations', [])],
    ['a location without metadata', add('/locations/-', { url: 'x' })],
    ['a property that is a number', add('/foo', 1)],
    ['a property that is null', add('/foo', null)],
    ['a long property name', add(`/${'x'.repeat(256)}`, 'x')],
    ['a long value', add('/foo', 'x'.repeat(65_536))],
    ['an emoji', add('/foo', '😀')],
    ['an emoji in a name', add('/name', '😀')],
    ['an emoji in a tag', add('/tags', ['😀'])],
    ['__proto__', add('/__proto__', 'x')],
    ['a long name', add('/name', 'x'.repeat(256))],
    ['an unknown format', add('/disk_format', 'floppy')],
    ['an unknown visibility', add('/visibility', 'secret')],
    ['a negative min_ram', add('/min_ram', -1)],
    ['a large min_disk', add('/min_disk', 2 ** 31)],
    ['a flag that is text', add('/protected', 'true')],
    ['a kernel_id that is no UUID', add('/kernel_id', 'x')],
  ])('refuses %s', (_, operation) => {
    expect(() => v21(operation)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    ['no verb', { value: 'x' }],
    ['two verbs', { add: '/a', remove: '/a', value: 'x' }],
    ['no value', { add: '/a' }],
  ])('refuses %s in the old dialect', (_, operation) => {
    expect(() => v20(operation)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    'id',
    'status',
    'checksum',
    'size',
    'created_at',
    'os_hash_value',
    'self',
    'location',
    'deleted',
    'os_glance_x',
  ])('forbids every operation on %s', (name) => {
    for (const op of ['add', 'replace', 'remove'])
      expect(() => v21({ op, path: `/${name}`, value: 'x' })).toThrow(
        expect.objectContaining({ code: 'PROPERTY_FORBIDDEN' }),
      );
  });
});
