import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, type ServiceProcess, startGlimpse } from '@glimpse/testing';
import { filesIn } from './half-upload.js';

const MIB = 1 << 20;

/** Puts a disk of 8 MiB at `folder`; false where this user may not mount, be it root in a container. */
function mountSmallDisk(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** The system refuses files above 8 MiB to the process: to the store that is a full disk too, and anybody can have it. */
const limitFiles = ({ pid }: ServiceProcess) =>
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${8 * MIB}`], { stdio: 'pipe' });

describe.each(['embedded', 'distributed'] as const)('a full disk (%s)', (mode) => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-full-disk-'));
  let isMounted = false;
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);

  beforeAll(async () => {
    isMounted = mountSmallDisk(folder);
    glimpse = await startGlimpse({
      mode,
      env: { GLIMPSE_STORES: JSON.stringify({ file: { type: 'file', datadir: join(folder, 'images') } }) },
    });
    if (!isMounted) glimpse.running('api-gateway').forEach(limitFiles);
  }, 60_000);
  afterAll(async () => {
    await glimpse?.stop();
    if (isMounted) execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  }, 60_000);

  it('refuses the upload with 413, keeps nothing of it, and takes a smaller one', async () => {
    const { id } = await api.create();

    const refused = await api.send('PUT', `/v2/images/${id}/file`, {
      headers: { 'content-type': 'application/octet-stream' },
      body: randomBytes(12 * MIB),
    });

    expect(refused.status).toBe(413);
    expect(await api.show(id)).toMatchObject({ status: 'queued', size: null });
    const small = randomBytes(5 * MIB);
    await api.upload(id, small);
    expect((await api.download(id)).equals(small)).toBe(true);
    expect(await filesIn(join(folder, 'images'))).toEqual([id]);
  });
});
