import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createInspector } from './image-inspector.js';

const MIB = 1_048_576;

function inspect(diskFormat: string, data: Buffer, chunkBytes = 65_536) {
  const inspector = createInspector({ diskFormat, containerFormat: 'bare' })!;
  for (let at = 0; at < data.length; at += chunkBytes) {
    // The memory of a piece is used again: the inspector must not hold on to it.
    const piece = Buffer.from(data.subarray(at, at + chunkBytes));
    inspector.accept(piece);
    piece.fill(0xee);
  }
  return inspector.finish();
}

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

describe('ImageInspector on hostile content', () => {
  const iso = (type: number) => {
    const data = Buffer.alloc(40_000);
    data[32_768] = type;
    data.write('CD001', 32_769, 'latin1');
    data.writeUInt32LE(5000, 32_848);
    data.writeUInt16LE(2048, 32_896);
    return data;
  };

  it('finds the size of an ISO', () => {
    expect(inspect('iso', iso(1), 1000)).toEqual({ formats: ['iso'], virtualSize: 5000 * 2048 });
    expect(inspect('iso', iso(2))).toEqual({ formats: ['iso'], virtualSize: null });
    expect(inspect('iso', iso(1).subarray(0, 34_815)).formats).toEqual([]);
  });

  it('names every format of a file that is several', () => {
    const data = iso(1);
    data.writeUInt32BE(0x514649fb, 0);

    expect(inspect('qcow2', data)).toEqual({ formats: ['qcow2', 'iso'], virtualSize: null });
  });

  it.each(['QFI\xfb', 'conectix', 'vhdxfile', 'KDMV'])('takes a file that ends after %j', (magic) => {
    expect(() => inspect('qcow2', Buffer.from(magic, 'latin1'))).not.toThrow();
    expect(inspect('qcow2', Buffer.from(magic, 'latin1')).virtualSize).toBeNull();
  });

  it.each(['qcow2', 'vhd', 'vhdx', 'vmdk', 'vdi'])('takes a %s whose fields are all ones', (diskFormat) => {
    const data = Buffer.alloc(3 * MIB, 0xff);
    data.write('vhdxfile', 0, 'latin1');
    if (diskFormat === 'qcow2') data.writeUInt32BE(0x514649fb, 0);
    if (diskFormat === 'vhd') data.write('conectix', 0, 'latin1');
    if (diskFormat === 'vmdk') data.write('KDMV', 0, 'latin1');
    if (diskFormat === 'vdi') data.writeUInt32LE(0xbeda107f, 64);
    data.write('regi', 196_608, 'latin1');

    expect(inspect(diskFormat, data).virtualSize).toBeNull();
  });

  it('looks into nothing but bare containers', () => {
    expect(createInspector({ diskFormat: 'qcow2', containerFormat: 'ova' })).toBeUndefined();
  });
});
