import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ImageApi, anArchiveOf, anOvfDescriptor, eachMode, waitFor } from '@glimpse/testing';
import { identity } from './callers.js';

const MIB = 2 ** 20;
const OCTETS = { 'content-type': 'application/octet-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

const folder = mkdtempSync(join(tmpdir(), 'glimpse-steps-'));
const scratch = join(folder, 'scratch');
const raw = join(folder, 'disk.raw');
const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { encoding: 'utf8' });
function diskAs(format: string, options: string[] = []): Buffer {
  const path = join(folder, `disk.${format}`);
  qemuImg('convert', '-f', 'raw', '-O', format, ...options, raw, path);
  return readFileSync(path);
}

beforeAll(() => {
  writeFileSync(raw, Buffer.concat([randomBytes(3 * MIB), Buffer.alloc(5 * MIB), randomBytes(MIB)]));
  truncateSync(raw, 16 * MIB);
});
afterAll(() => rmSync(folder, { recursive: true }));

eachMode(
  'The steps of an import',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const stranger = new ImageApi(() => glimpse().url, identity('p2', 'member', 'reader'));
    const member = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));

    async function imported(data: Buffer, formats: object, as = api) {
      const image = await as.create(formats);
      await as.expect(204, 'PUT', `/v2/images/${image.id}/stage`, { headers: OCTETS, body: data });
      await as.expect(202, 'POST', `/v2/images/${image.id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name: 'glance-direct' } }),
      });
      return waitFor('the end of the import', async () => {
        const now = await as.show(image.id);
        return now.status === 'importing' || 'os_glance_import_task' in now ? undefined : now;
      });
    }
    const reasonOf = async (id: string) => {
      const { text } = await api.expect(200, 'GET', `/v2/images/${id}/tasks`);
      return (JSON.parse(text) as { tasks: { message: string }[] }).tasks[0]?.message;
    };

    it.each([
      ['qcow2', 'qcow2', ['-c']],
      ['vmdk', 'vmdk', ['-o', 'subformat=streamOptimized']],
      ['vhd', 'vpc', ['-o', 'force_size=on']],
    ])('make raw of %s', async (disk_format, format, options) => {
      const image = await imported(diskAs(format, options), { disk_format });

      expect(image).toMatchObject({
        status: 'active',
        disk_format: 'raw',
        container_format: 'bare',
        size: 16 * MIB,
        virtual_size: 16 * MIB,
      });
      expect((await api.download(image.id)).equals(readFileSync(raw))).toBe(true);
      expect(readdirSync(scratch)).toEqual([]);
    });

    it.each([
      ['gzip', gzipSync],
      ['zstd', zstdCompressSync],
      ['xz', (data: Buffer) => execFileSync('xz', ['-0', '-c'], { input: data, maxBuffer: 2 ** 28 })],
    ])('expand %s, and convert what is in it', async (_name, compress) => {
      const image = await imported(compress(diskAs('qcow2')), { disk_format: 'qcow2' });

      expect(image).toMatchObject({ status: 'active', disk_format: 'raw', size: 16 * MIB });
      expect((await api.download(image.id)).equals(readFileSync(raw))).toBe(true);
    });

    it('take the disk out of an OVA', async () => {
      const disk = diskAs('vmdk', ['-o', 'subformat=streamOptimized']);
      const ova = anArchiveOf([
        { name: 'appliance.ovf', data: anOvfDescriptor(['appliance-disk1.vmdk']) },
        { name: 'appliance-disk1.vmdk', data: disk },
      ]);

      const image = await imported(ova, { disk_format: 'vmdk', container_format: 'ova' });

      expect(image).toMatchObject({ status: 'active', disk_format: 'raw', container_format: 'bare' });
      expect((await api.download(image.id)).equals(readFileSync(raw))).toBe(true);
    });

    it('leave alone what is of the format already, and what is no disk', async () => {
      const data = readFileSync(raw);
      const kernel = randomBytes(10_000);

      expect(await imported(data, { disk_format: 'raw' })).toMatchObject({
        status: 'active',
        disk_format: 'raw',
      });
      expect(await imported(kernel, { disk_format: 'aki', container_format: 'aki' })).toMatchObject({
        status: 'active',
        disk_format: 'aki',
        size: 10_000,
      });
      const packed = gzipSync(data);
      expect(await imported(packed, { disk_format: 'raw', container_format: 'compressed' })).toMatchObject({
        size: packed.length,
      });
    });

    it('inject properties, but for those with certain roles', async () => {
      const data = readFileSync(raw);

      const theirs = await imported(data, { disk_format: 'raw', hw_video_model: 'vga' }, member);
      const own = await imported(data, { disk_format: 'raw', hw_video_model: 'vga' });

      expect(theirs).toMatchObject({ hw_video_model: 'virtio', origin: 'import' });
      expect(own).toMatchObject({ hw_video_model: 'vga' });
      expect(own).not.toHaveProperty('origin');
    });

    it.each([
      ['is not what it says', 'qcow2', () => readFileSync(raw), 'does not match stream data'],
      ['ends early', 'qcow2', () => gzipSync(diskAs('qcow2')).subarray(0, -5), 'is damaged or ends early'],
      ['is a bomb', 'raw', () => gzipSync(Buffer.alloc(80 * MIB)), 'expands to more than 50 times its size'],
    ])('refuse what %s, and say so', async (_what, disk_format, make, reason) => {
      const image = await imported(make(), { disk_format });

      expect(image).toMatchObject({ status: 'queued', size: null, disk_format });
      expect(await reasonOf(image.id)).toContain(reason);
      expect(readdirSync(scratch)).toEqual([]);
    });

    it('make a new image of another one when they are asked to', async () => {
      const old = await api.create({
        name: 'disk',
        disk_format: 'raw',
        hw_machine_type: 'q35',
        tags: ['one'],
      });
      await api.upload(old.id, readFileSync(raw));
      const convert = (id: string, disk_format: string, as = api) =>
        as.send('POST', `/v2/images/${id}/actions/convert`, {
          headers: JSON_TYPE,
          body: JSON.stringify({ disk_format }),
        });

      const answer = await convert(old.id, 'qcow2');
      expect(answer.status).toBe(202);
      const { id } = JSON.parse(answer.text) as { id: string };
      expect(answer.headers.get('location')).toContain(id);
      const image = await waitFor('the conversion', async () => {
        const now = await api.show(id);
        return now.status === 'importing' ? undefined : now;
      });

      expect(image).toMatchObject({
        status: 'active',
        name: 'disk',
        disk_format: 'qcow2',
        visibility: 'private',
        hw_machine_type: 'q35',
        tags: ['one'],
        virtual_size: 16 * MIB,
      });
      const path = join(folder, 'converted.qcow2');
      writeFileSync(path, await api.download(id));
      expect(qemuImg('compare', '-f', 'raw', '-F', 'qcow2', raw, path)).toContain('identical');
      expect(await api.show(old.id)).toMatchObject({ status: 'active', disk_format: 'raw', size: 16 * MIB });
      expect((await convert(old.id, 'raw')).status).toBe(409);
      expect((await convert(old.id, 'vdi')).status).toBe(400);
      expect((await convert(old.id, 'qcow2', stranger)).status).toBe(404);
      expect((await convert((await api.create()).id, 'qcow2')).status).toBe(409);
    });

    it('refuse a disk of a PiB in a small file', async () => {
      const path = join(folder, 'huge.qcow2');
      qemuImg('create', '-f', 'qcow2', path, '1P');

      const image = await imported(readFileSync(path), { disk_format: 'qcow2' });

      expect(image.status).toBe('queued');
      expect(await reasonOf(image.id)).toContain('more than the limit');
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_IMPORT_STEPS: 'image_decompression,ova_unpacking,image_conversion,inject_image_metadata',
      GLIMPSE_IMPORT_SCRATCH_DIR: scratch,
      GLIMPSE_IMPORT_CONVERSION_ON_REQUEST: 'true',
      GLIMPSE_IMPORT_DECOMPRESSION_MAX_RATIO: '50',
      GLIMPSE_IMPORT_INJECT_METADATA_INJECT: '{hw_video_model: virtio, origin: import, os_glance_x: y}',
      GLIMPSE_IMPORT_INJECT_METADATA_IGNORE_USER_ROLES: 'admin',
    },
  },
);
