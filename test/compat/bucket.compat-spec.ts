import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, OwnBucket, startGlimpse } from '@glimpse/testing';
import { runClient } from './client.js';

const START_TIMEOUT_MS = 60_000;
/** Several parts, most of it data. */
const DISK_SIZE = '24M';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-bucket-'));
const disk = join(folder, 'disk.qcow2');
const qemu = (command: string, ...args: string[]) =>
  execFileSync('qemu-img', [command, ...args], { encoding: 'utf8', stdio: 'pipe' });

function makeDisk(): void {
  const raw = join(folder, 'disk.raw');
  execFileSync('dd', ['if=/dev/urandom', `of=${raw}`, `bs=${DISK_SIZE}`, 'count=1', 'iflag=fullblock'], {
    stdio: 'pipe',
  });
  qemu('convert', '-O', 'qcow2', raw, disk);
}

describe('Disk images in a bucket that clients are sent to', () => {
  let bucket: OwnBucket;
  let glimpse: Glimpse;
  beforeAll(async () => {
    makeDisk();
    bucket = await OwnBucket.create();
    const store = { type: 's3', ...bucket.storeOptions(), direct_download: true };
    glimpse = await startGlimpse({
      env: { GLIMPSE_STORES: JSON.stringify({ store }), GLIMPSE_DEFAULT_STORE: 'store' },
    });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await glimpse?.stop();
    await bucket?.remove();
  }, START_TIMEOUT_MS);

  const clients = {
    openstack: (...args: string[]) =>
      runClient(folder, 'openstack', ['--os-auth-type', 'none', '--os-endpoint', glimpse.url, ...args]),
    glance: (...args: string[]) =>
      runClient(folder, 'glance', ['--os-image-url', glimpse.url, '--os-auth-token', 'x', ...args]),
  };

  it('go in by openstack and come out of both clients as they were', async () => {
    const format = ['--disk-format', 'qcow2', '--container-format', 'bare'];
    const created = await clients.openstack(
      'image',
      'create',
      '-f',
      'value',
      '-c',
      'id',
      '--file',
      disk,
      ...format,
      'disk',
    );
    const id = created.trim();
    const [one, other] = [join(folder, 'one.qcow2'), join(folder, 'other.qcow2')];

    await clients.openstack('image', 'save', '--file', one, id);
    await clients.glance('image-download', '--file', other, id);

    expect(await new ImageApi(() => glimpse.url).show(id)).toMatchObject({
      status: 'active',
      stores: 'store',
    });
    for (const copy of [one, other]) {
      expect(readFileSync(copy).equals(readFileSync(disk))).toBe(true);
      expect(qemu('compare', copy, disk)).toContain('identical');
    }
    const answer = await fetch(`${glimpse.url}/v2/images/${id}/file`, { redirect: 'manual' });
    await answer.body?.cancel();
    expect(answer.status).toBe(307);
  });
});

afterAll(() => rmSync(folder, { recursive: true }));
