import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectFile } from './inspect-file.js';
import { admit, inspectInPieces } from './inspect-pieces.conformance.js';
import { ImageWorkshop } from './made-images.conformance.js';

const SECRET = ['--object', 'secret,id=key,data=secret'];

describe('images made by qemu-img', () => {
  let workshop: ImageWorkshop;
  beforeAll(() => {
    workshop = new ImageWorkshop();
  });
  afterAll(() => workshop.close());

  /** Inspects a file in every way, which must come to the same, and tells what an upload of it would come to. */
  async function outcomeOf(path: string, declared: string) {
    const data = workshop.read(path);
    const inspection = await inspectFile(path);
    for (const pieceBytes of [65_536, 1_048_576, 4_099])
      expect(inspectInPieces(data, pieceBytes)).toEqual(inspection);
    return { ...admit(declared, data), data, found: inspection.found[0] };
  }

  it.each([
    ['qcow2', 'qcow2', 'compat=0.10', '20G'],
    ['qcow2', 'qcow2', 'compat=1.1', '20G'],
    ['qcow2', 'qcow2', 'cluster_size=512', '64M'],
    ['qcow2', 'qcow2', 'cluster_size=2M,lazy_refcounts=on', '1T'],
    ['qcow2', 'qcow2', 'refcount_bits=1', '20G'],
    ['qcow2', 'qcow2', 'refcount_bits=64', '20G'],
    ['qcow2', 'qcow2', 'compression_type=zstd', '20G'],
    ['qcow2', 'qcow2', 'preallocation=metadata', '64M'],
    ['qcow2', 'qcow2', 'preallocation=falloc', '8M'],
    ['qcow2', 'qcow2', 'preallocation=full', '8M'],
    ['vdi', 'vdi', undefined, '20G'],
    ['vdi', 'vdi', 'static=on', '8M'],
    ['vhd', 'vpc', 'subformat=dynamic', '20G'],
    ['vhd', 'vpc', 'subformat=dynamic,force_size=on', '20G'],
    ['vhd', 'vpc', 'subformat=fixed', '8M'],
    ['vhd', 'vpc', 'subformat=fixed,force_size=on', '8M'],
    ['vhdx', 'vhdx', undefined, '20G'],
    ['vhdx', 'vhdx', 'subformat=fixed', '8M'],
    ['vhdx', 'vhdx', 'log_size=4M,block_size=1M', '20G'],
    ['vhdx', 'vhdx', 'block_size=256M,block_state_zero=off', '20G'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse', '20G'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse,zeroed_grain=on', '20G'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse,adapter_type=lsilogic,hwversion=10', '20G'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse,adapter_type=legacyESX', '20G'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse,compat6=on', '20G'],
    ['vmdk', 'vmdk', 'subformat=streamOptimized', '20G'],
    ['raw', 'raw', undefined, '8M'],
  ])('accepts a %s (qemu-img %s, %s, %s)', async (declared, format, options, size) => {
    const path = workshop.create(format, options, size);

    expect(await outcomeOf(path, declared)).toMatchObject({
      refusal: null,
      virtualSize: workshop.virtualSize(path, format),
    });
  });

  it.each(['encrypt.format=luks,encrypt.iter-time=10', 'encrypt.format=aes'])(
    'accepts an encrypted qcow2 (%s)',
    async (encryption) => {
      const path = workshop.create('qcow2', `${encryption},encrypt.key-secret=key`, '64M', ...SECRET);

      expect(await outcomeOf(path, 'qcow2')).toMatchObject({ refusal: null, virtualSize: 67_108_864 });
    },
  );

  it('accepts a qcow2 with compressed data, a snapshot and a bitmap', async () => {
    const raw = workshop.blank(8_388_608);
    const path = workshop.newPath();
    workshop.run('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, path]);
    workshop.run('qemu-img', ['snapshot', '-c', 'before', path]);
    workshop.run('qemu-img', ['bitmap', '--add', path, 'changes']);

    expect(await outcomeOf(path, 'qcow2')).toMatchObject({ refusal: null, virtualSize: 8_388_608 });
  });

  it.each([
    ['qcow2', 'compat=0.10', 'backing_file'],
    ['qcow2', 'compat=1.1', 'backing_file'],
    ['vmdk', 'subformat=monolithicSparse', 'parent'],
  ])('refuses a %s (%s) that needs another disk', async (format, options, check) => {
    const base = workshop.create(format, options, '64M');
    const path = workshop.newPath();
    workshop.run('qemu-img', ['create', '-q', '-f', format, '-o', options, '-b', base, '-F', format, path]);

    for (const declared of [format, 'raw'])
      expect((await outcomeOf(path, declared)).refusal).toContain(
        `Image failed safety checks: ${format} ${check}`,
      );
  });

  it.each([
    ['qcow2', 'qcow2', 'data_file=other.raw', 'data_file'],
    ['qcow2', 'qcow2', 'data_file=another.raw,data_file_raw=on', 'data_file'],
    ['qcow2', 'qcow2', 'extended_l2=on,cluster_size=128k', 'unknown_features'],
    ['qcow2', 'qcow', undefined, 'unknown_features'],
    ['qed', 'qed', undefined, 'banned'],
    ['vmdk', 'vmdk', 'subformat=monolithicFlat', 'descriptor'],
    ['vmdk', 'vmdk', 'subformat=twoGbMaxExtentFlat', 'descriptor'],
    ['vmdk', 'vmdk', 'subformat=twoGbMaxExtentSparse', 'descriptor'],
  ])('refuses a %s (qemu-img %s, %s)', async (found, format, options, check) => {
    const path = workshop.create(format, options, '64M');

    for (const declared of [found, 'raw'])
      expect((await outcomeOf(path, declared)).refusal).toContain(
        `Image failed safety checks: ${found} ${check}`,
      );
  });

  it('refuses one of several extents of a VMDK', async () => {
    workshop.run('qemu-img', [
      'create',
      '-q',
      '-f',
      'vmdk',
      '-o',
      'subformat=twoGbMaxExtentSparse',
      'parts.vmdk',
      '3G',
    ]);

    expect((await outcomeOf(workshop.path('parts-s001.vmdk'), 'vmdk')).refusal).toContain('vmdk descriptor');
  });

  it('knows a disk of Parallels, which counts as raw', async () => {
    const path = workshop.create('parallels', undefined, '64M');

    expect((await inspectFile(path)).content).toBe('ploop');
    expect(await outcomeOf(path, 'ploop')).toMatchObject({ refusal: null, virtualSize: null });
  });

  it.each(['qcow2', 'vdi', 'vhd', 'vhdx', 'vmdk', 'iso', 'luks'])(
    'refuses a %s that was declared so and is a raw disk, early',
    async (declared) => {
      const path = workshop.create('raw', undefined, '8M');

      const { refusal, taken } = await outcomeOf(path, declared);

      expect(refusal).toBe(`Image disk_format ${declared} does not match stream data raw`);
      // A VHD may have its footer at the end.
      expect(taken).toBe(declared === 'vhd' ? 8_388_608 : 65_536);
    },
  );
});
