import { describe, expect, it } from '@jest/globals';
import type { Image } from '@glimpse/contracts';
import { anImage } from '@glimpse/testing';
import { toImageView } from './image-view.js';

const view = (more: Partial<Image>, isMultiStore = false) => toImageView(anImage(more), { isMultiStore });

describe('toImageView', () => {
  it('has every field under its name on the wire', () => {
    expect(view({})).toEqual({
      id: 'i1',
      name: null,
      status: 'queued',
      visibility: 'shared',
      protected: false,
      os_hidden: false,
      owner: 'p1',
      disk_format: 'raw',
      container_format: 'bare',
      size: null,
      virtual_size: null,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      min_ram: 0,
      min_disk: 0,
      created_at: '2020-01-01T00:00:00Z',
      updated_at: '2020-01-01T00:00:00Z',
      tags: [],
      self: '/v2/images/i1',
      file: '/v2/images/i1/file',
      schema: '/v2/schemas/image',
    });
  });

  it('shows null custom properties as empty text, but for the two that may be null', () => {
    expect(view({ properties: { a: null, kernel_id: null, ramdisk_id: 'x' } })).toMatchObject({
      a: '',
      kernel_id: null,
      ramdisk_id: 'x',
    });
  });

  it('hides what workers note for themselves', () => {
    const shown = view({
      properties: { os_glance_stage_host: 'h', os_glance_hash_op_host: 'h', os_glance_failed_import: '' },
    });

    expect(Object.keys(shown).filter((key) => key.startsWith('os_glance'))).toEqual([
      'os_glance_failed_import',
    ]);
  });

  it('never lets a custom property shadow a field', () => {
    expect(view({ properties: { os_hash_algo: 'forged', id: 'forged' } })).toMatchObject({
      id: 'i1',
      os_hash_algo: null,
    });
  });

  it('names the stores only where there are several', () => {
    expect(view({ stores: ['a', 'b'] }, true)).toHaveProperty('stores', 'a,b');
    expect(view({ stores: ['a'] }, false)).not.toHaveProperty('stores');
    expect(view({ stores: [] }, true)).not.toHaveProperty('stores');
    expect(view({ properties: { stores: 'mine' } }, true)).toHaveProperty('stores', 'mine');
  });
});
