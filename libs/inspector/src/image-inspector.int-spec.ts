import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from './inspect-pieces.conformance.js';

const MIB = 1_048_576;

describe('ImageInspector on images made by qemu-img', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-inspector-'));
    try {
      execFileSync('qemu-img', ['--version'], { stdio: 'pipe' });
    } catch (error) {
      throw new Error('qemu-img is not there: install qemu-utils (Debian, Ubuntu) or qemu-img (Fedora)', {
        cause: error,
      });
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function make(format: string, size: string, options?: string): Promise<Buffer> {
    const path = join(folder, `image-${format}-${size}-${options ?? ''}`);
    execFileSync('qemu-img', [
      'create',
      '-q',
      '-f',
      format,
      ...(options === undefined ? [] : ['-o', options]),
      path,
      size,
    ]);
    return readFile(path);
  }

  it.each([
    ['qcow2', 'qcow2', undefined],
    ['qcow2', 'qcow2', 'compat=0.10'],
    ['qcow2', 'qcow2', 'cluster_size=2M,lazy_refcounts=on'],
    ['vdi', 'vdi', undefined],
    ['vhdx', 'vhdx', undefined],
    ['vhdx', 'vhdx', 'log_size=4M,block_size=1M'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse'],
    ['vmdk', 'vmdk', 'subformat=streamOptimized'],
  ])('finds the size of a %s image (qemu-img %s, %s)', async (diskFormat, qemuFormat, options) => {
    const data = await make(qemuFormat, '20G', options);

    for (const chunkBytes of [65_536, MIB, 4_099])
      expect(inspect(diskFormat, data, chunkBytes)).toEqual({
        formats: [diskFormat],
        virtualSize: 20 * 1024 * MIB,
      });
  });

  it('finds the size of a dynamic vhd, which qemu-img rounds up', async () => {
    const { formats, virtualSize } = inspect('vhd', await make('vpc', '1G'));

    expect(formats).toEqual(['vhd']);
    expect(virtualSize).toBeGreaterThanOrEqual(1024 * MIB);
    expect(virtualSize).toBeLessThan(1025 * MIB);
  });

  it('finds no size in a vmdk that is only a descriptor or one of many extents', async () => {
    await make('vmdk', '3G', 'subformat=twoGbMaxExtentSparse');
    const extent = await readFile(
      join(folder, 'image-vmdk-3G-subformat=twoGbMaxExtentSparse-s001.vmdk'),
    ).catch(() => readFile(join(folder, 'image-vmdk-3G-subformat=twoGbMaxExtentSparse-s001')));

    expect(inspect('vmdk', extent)).toEqual({ formats: ['vmdk'], virtualSize: null });
  });

  it('works however small the chunks are', async () => {
    const data = (await make('qcow2', '7G')).subarray(0, 2000);

    expect(inspect('qcow2', data, 1).virtualSize).toBe(7 * 1024 * MIB);
  });

  it('counts the bytes of what is declared raw, whatever is in it', async () => {
    const data = await make('qcow2', '7G');

    expect(inspect('raw', data)).toEqual({ formats: ['qcow2'], virtualSize: data.length });
    expect(inspect('raw', Buffer.alloc(1000))).toEqual({ formats: [], virtualSize: 1000 });
    expect(inspect('raw', Buffer.alloc(0)).virtualSize).toBeNull();
  });

  it('says no size where the content is not what was declared', async () => {
    const data = await make('qcow2', '7G');

    expect(inspect('vmdk', data).virtualSize).toBeNull();
    expect(inspect('ploop', Buffer.alloc(1000)).virtualSize).toBeNull();
  });
});
