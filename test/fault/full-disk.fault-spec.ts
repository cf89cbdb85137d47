import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, startGlimpse } from '@glimpse/testing';
import { filesIn } from './half-upload.js';
import { type SmallDisk, limitFiles, mountSmallDisk } from './small-disk.js';

const MIB = 1 << 20;

describe.each(['embedded', 'distributed'] as const)('a full disk (%s)', (mode) => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-full-disk-'));
  let disk: SmallDisk;
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);

  beforeAll(async () => {
    disk = mountSmallDisk(folder);
    glimpse = await startGlimpse({
      mode,
      env: { GLIMPSE_STORES: JSON.stringify({ file: { type: 'file', datadir: join(folder, 'images') } }) },
    });
    if (!disk.isMounted) glimpse.running('api-gateway').forEach(limitFiles);
  });
  afterAll(async () => {
    await glimpse?.stop();
    disk.unmount();
    rmSync(folder, { recursive: true });
  });

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
