import { describe, expect, it } from '@jest/globals';
import { createImageSchema } from './images.schema.js';
import { parseNewImage } from './new-image.js';

const schema = createImageSchema({ diskFormats: ['raw', 'qcow2'], containerFormats: ['bare'] });
const parse = (body: unknown) => parseNewImage(body, schema);
const id = 'ABCDEF00-0000-4000-8000-00000000000f';

describe('parseNewImage', () => {
  it('needs nothing', () => {
    expect(parse({})).toEqual({ properties: {} });
  });

  it('takes everything that may be set', () => {
    const body = {
      id,
      name: 'n',
      visibility: 'private',
      protected: true,
      os_hidden: true,
      owner: null,
      disk_format: 'raw',
      container_format: null,
      min_ram: 1,
      min_disk: 2_147_483_647,
      tags: ['a', 'a', ''],
      kernel_id: null,
      Foo: '',
      '': 'empty',
      members: 'x',
    };

    expect(parse(body)).toEqual({
      id,
      name: 'n',
      visibility: 'private',
      protected: true,
      osHidden: true,
      owner: null,
      diskFormat: 'raw',
      containerFormat: null,
      minRam: 1,
      minDisk: 2_147_483_647,
      tags: ['a', 'a', ''],
      properties: { kernel_id: null, Foo: '', '': 'empty', members: 'x' },
    });
  });

  it.each([[undefined], [null], [[]], ['x']])('refuses %j', (body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    { id: 'x' },
    { id: null },
    { name: 5 },
    { name: 'x'.repeat(256) },
    { name: '😀' },
    { owner: '\ud800' },
    { visibility: 'secret' },
    { visibility: null },
    { protected: 'true' },
    { protected: 1 },
    { os_hidden: null },
    { disk_format: 'floppy' },
    { container_format: 5 },
    { min_ram: '1' },
    { min_ram: -1 },
    { min_disk: 2 ** 31 },
    { min_disk: 1.5 },
    { tags: 'a' },
    { tags: [1] },
    { tags: ['x'.repeat(256)] },
    { tags: ['😀'] },
    { tags: null },
    { foo: 1 },
    { foo: true },
    { foo: null },
    { foo: ['x'] },
    { foo: {} },
    { foo: '😀' },
    { '😀': 'x' },
    { foo: 'x'.repeat(65_536) },
    { ['x'.repeat(256)]: 'x' },
    { kernel_id: 'x' },
    { kernel_id: 5 },
    { cinder_encryption_key_deletion_policy: 'x' },
    { status: 'flying' },
    { size: 'x' },
    { locations: 'x' },
    { locations: [{}] },
    JSON.parse('{"__proto__": "x"}') as object,
  ])('refuses %j', (body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    { self: 'x' },
    { file: 5 },
    { schema: null },
    { direct_url: 'x' },
    { stores: 'a' },
    { status: 'queued' },
    { checksum: null },
    { size: 5 },
    { virtual_size: null },
    { created_at: 'x' },
    { updated_at: 'x' },
    { os_hash_algo: 'md5' },
    { os_hash_value: null },
    { location: 'x' },
    { deleted: 'x' },
    { deleted_at: 'x' },
    { os_glance_import_task: 'x' },
    { locations: [] },
  ])('forbids %j', (body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'PROPERTY_FORBIDDEN' }));
  });

  it('looks at the read-only links before anything else', () => {
    expect(() => parse({ name: 5, self: 'x' })).toThrow(
      expect.objectContaining({ code: 'PROPERTY_FORBIDDEN' }),
    );
    expect(() => parse({ name: 5, size: 5 })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
