import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';
import { runClient } from './client.js';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-glance-cache-'));
afterAll(() => rmSync(folder, { recursive: true }));
let runs = 0;

eachMode(
  'The cache commands of glance',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);
    const { path, diskFormat } = makeDiskImage(folder);
    const glance = (...args: string[]) =>
      runClient(folder, 'glance', ['--os-image-url', glimpse().url, '--os-auth-token', 'x', ...args]);
    const listed = (id: string, state: string) =>
      waitFor(`${id} ${state}`, async () =>
        new RegExp(`\\| ${id} \\| ${state} `).test(await glance('cache-list')),
      );

    async function anImage(): Promise<string> {
      const { id } = await api.create({ disk_format: diskFormat });
      await api.upload(id, readFileSync(path));
      return id;
    }

    it('queue, list and download an image, and delete it', async () => {
      const id = await anImage();
      const copy = join(folder, 'copy');

      await glance('cache-queue', id);
      await listed(id, 'cached');
      await glance('image-download', '--file', copy, id);

      expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
      expect(await glance('cache-list')).toMatch(new RegExp(`${id} .*\\| +1 +\\|`));
      await glance('cache-delete', id);
      expect(await glance('cache-list')).not.toContain(id);
    });

    it('clear what there is', async () => {
      const id = await anImage();
      await glance('cache-queue', id);
      await listed(id, 'cached');

      await glance('cache-clear', '--target', 'queue');
      expect(await glance('cache-list')).toContain(id);
      await glance('cache-clear');

      expect(await glance('cache-list')).not.toContain(id);
    });
  },
  async () => ({
    env: { GLIMPSE_CACHE_DIR: join(folder, `cache-${runs++}`), GLIMPSE_CACHE_STORES: 'file' },
  }),
);
