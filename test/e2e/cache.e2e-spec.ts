import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, identity } from './callers.js';
import { webData } from './web-data.js';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-cache-'));
const { web } = webData();
afterAll(() => rm(folder, { recursive: true }));

const MAX_BYTES = 20_000_000;
/** Of the services in the order in which they were started. */
const cacheDirs: string[] = [];

function newCacheDir(): string {
  const dir = join(folder, randomUUID());
  cacheDirs.push(dir);
  return dir;
}

const cacheConfiguration = async () => ({
  auth: 'headers' as const,
  env: {
    GLIMPSE_CACHE_DIR: newCacheDir(),
    GLIMPSE_CACHE_MAX_BYTES: String(MAX_BYTES),
    GLIMPSE_CACHE_MANAGEMENT_ROUTES: 'true',
    GLIMPSE_STORES: JSON.stringify({
      near: { type: 'file', datadir: join(folder, 'near') },
      web: { type: 'http', allow_private_addresses: true },
    }),
    GLIMPSE_DEFAULT_STORE: 'near',
  },
});

interface CacheState {
  readonly cached_images: Readonly<Record<string, unknown>>[];
  readonly queued_images: string[];
}

eachMode(
  'The image cache',
  (glimpse) => {
    const url = () => glimpse().url;
    const owner = new ImageApi(url, identity('owner', 'member', 'reader'));
    const stranger = new ImageApi(url, identity('stranger', 'member', 'reader'));
    const admin = new ImageApi(url, identity('admin', 'admin', 'member', 'reader'));
    const service = new ImageApi(url, identity('owner', 'member', 'reader', 'service'));

    const getsOf = (name: string) => web().seen.filter((request) => request === `GET /${name}`).length;
    const fileOf = (id: string) => `/v2/images/${id}/file`;
    const state = async () => JSON.parse((await admin.expect(200, 'GET', '/v2/cache')).text) as CacheState;
    const entry = async (id: string) => (await state()).cached_images.find((one) => one['image_id'] === id);
    const isCached = (id: string) => waitFor(`${id} in the cache`, () => entry(id));

    /** An image whose data is on the web, with its hashes; `gets` counts what was read there since. */
    async function remoteImage(size = 300_000) {
      const name = randomUUID();
      const data = randomBytes(size);
      const location = {
        url: web().serve(name, data),
        validation_data: {
          os_hash_algo: 'sha256',
          os_hash_value: createHash('sha256').update(data).digest('hex'),
        },
      };
      const { id } = await service.create();
      await service.expect(202, 'POST', `/v2/images/${id}/locations`, {
        headers: JSON_TYPE,
        body: JSON.stringify(location),
      });
      await waitFor('the image to be active', async () => (await owner.show(id)).status === 'active');
      const before = getsOf(name);
      return { id, name, data, gets: () => getsOf(name) - before };
    }

    describe('downloads', () => {
      it('reads an image from its store once for 200 clients', async () => {
        const { id, data, gets } = await remoteImage();

        const all = await Promise.all(Array.from({ length: 200 }, () => owner.download(id)));

        expect(all.every((bytes) => bytes.equals(data))).toBe(true);
        await isCached(id);
        expect((await owner.download(id)).equals(data)).toBe(true);
        expect(gets()).toBe(1);
        expect(await entry(id)).toMatchObject({ size: data.length, hits: 200 });
      });

      it('serves what is there of an image that is still being fetched', async () => {
        const { id, name, data, gets } = await remoteImage();
        const goOn = web().hold(name);
        const whole = owner.download(id);
        await waitFor('the first bytes', async () => gets() === 1);

        const part = await waitFor('a range of the copy', async () => {
          const answer = await owner.send('GET', fileOf(id), { headers: { range: 'bytes=10-99' } });
          return gets() === 1 ? answer : undefined;
        });

        expect(part.status).toBe(206);
        expect(part.body.equals(data.subarray(10, 100))).toBe(true);
        goOn();
        expect((await whole).equals(data)).toBe(true);
      });

      it('serves images and ranges when their store is gone', async () => {
        const { id, name, data } = await remoteImage();
        await owner.download(id);
        await isCached(id);
        web().remove(name);

        const suffix = await owner.send('GET', fileOf(id), { headers: { range: 'bytes=-5' } });

        expect(suffix.status).toBe(206);
        expect(suffix.headers.get('content-range')).toBe(
          `bytes ${data.length - 5}-${data.length - 1}/${data.length}`,
        );
        expect(suffix.body.equals(data.subarray(-5))).toBe(true);
        expect((await owner.download(id)).equals(data)).toBe(true);
      });

      it('answers 204 when the data is lost and was never cached', async () => {
        const { id, name } = await remoteImage();
        web().remove(name);

        expect((await owner.send('GET', fileOf(id))).status).toBe(204);
      });

      it('does not cache what lies on a local disk', async () => {
        const { id } = await owner.create();
        await owner.upload(id, 'data');

        expect((await owner.download(id)).toString()).toBe('data');

        expect(await entry(id)).toBeUndefined();
      });

      it('caches what lies on a local disk when it is asked for, and serves it from there', async () => {
        const { id } = await owner.create();
        await owner.upload(id, 'data');

        await admin.expect(202, 'PUT', `/v2/cache/${id}`);
        await isCached(id);

        expect((await owner.download(id)).toString()).toBe('data');
        expect(await entry(id)).toMatchObject({ hits: 1, size: 4 });
      });

      it('serves a cached image only to those who may have it', async () => {
        const { id, data } = await remoteImage();
        await owner.download(id);
        await isCached(id);

        expect((await stranger.send('GET', fileOf(id))).status).toBe(404);
        await admin.expect(204, 'POST', `/v2/images/${id}/actions/deactivate`);
        expect((await owner.send('GET', fileOf(id))).status).toBe(403);
        expect((await admin.download(id)).equals(data)).toBe(true);
      });

      it('forgets an image that is deleted', async () => {
        const { id } = await remoteImage();
        await owner.download(id);
        await isCached(id);

        await owner.delete(id);

        expect(await waitFor('its end', async () => (await entry(id)) === undefined)).toBe(true);
      });
    });

    describe('the API', () => {
      it('fetches a queued image in the background', async () => {
        const { id, data, gets } = await remoteImage();

        const answer = await admin.expect(202, 'PUT', `/v2/cache/${id}`);

        expect([answer.text, answer.headers.get('content-length')]).toEqual(['', '0']);
        const shown = await isCached(id);
        expect(shown).toEqual({
          image_id: id,
          hits: 0,
          last_accessed: expect.any(Number),
          last_modified: expect.any(Number),
          size: data.length,
          checksum: createHash('md5').update(data).digest('hex'),
        });
        expect(Math.abs(Number(shown['last_modified']) - Date.now() / 1000)).toBeLessThan(60);
        expect((await owner.download(id)).equals(data)).toBe(true);
        expect(gets()).toBe(1);
        await waitFor('an empty queue', async () => (await state()).queued_images.length === 0);
      });

      it('fetches an image that was removed and queued again while it was fetched', async () => {
        const { id, name, gets } = await remoteImage();
        const goOn = web().hold(name);
        await admin.expect(202, 'PUT', `/v2/cache/${id}`);
        await waitFor('the first bytes', async () => gets() === 1);

        await admin.expect(204, 'DELETE', `/v2/cache/${id}`);
        await admin.expect(202, 'PUT', `/v2/cache/${id}`);
        goOn();

        await isCached(id);
        await waitFor('an empty queue', async () => (await state()).queued_images.length === 0);
      });

      it('refuses what is larger than the cache', async () => {
        const { id } = await owner.create();
        await owner.upload(id, Buffer.alloc(MAX_BYTES + 1));

        const answer = await admin.expect(413, 'PUT', `/v2/cache/${id}`);

        expect(answer.text).toContain(`${MAX_BYTES} bytes`);
      });

      it('says so when its directory cannot be used, and makes one that was removed', async () => {
        const { id } = await remoteImage();
        const dir = await waitFor('the directory', () => cacheDirs.at(-1));
        await rm(dir, { recursive: true });
        await writeFile(dir, 'no directory');

        expect((await admin.send('PUT', `/v2/cache/${id}`)).status).toBe(503);
        expect((await admin.send('POST', '/v2/cache/clean')).status).toBe(503);
        expect((await admin.send('GET', '/v2/cache')).status).toBe(200);

        await rm(dir);
        await admin.expect(200, 'POST', '/v2/cache/clean');
        await admin.expect(202, 'PUT', `/v2/cache/${id}`);
        await isCached(id);
      });

      it('checks whether the image exists, who is asking, and its status, in this order', async () => {
        const { id } = await remoteImage();
        const queued = await owner.create();

        expect((await owner.send('PUT', `/v2/cache/${randomUUID()}`)).status).toBe(404);
        expect((await owner.send('PUT', `/v2/cache/${id}`)).status).toBe(403);
        expect((await owner.send('PUT', `/v2/cache/${queued.id}`)).status).toBe(403);
        expect((await admin.send('PUT', `/v2/cache/${queued.id}`)).status).toBe(400);
        expect((await admin.send('PUT', `/v2/cache/${randomUUID()}`)).status).toBe(404);
      });

      it.each([
        ['GET', '/v2/cache'],
        ['DELETE', '/v2/cache'],
        ['GET', '/v2/cache/nodes/x'],
        ['POST', '/v2/cache/clean'],
        ['POST', '/v2/cache/prune'],
        ['GET', '/v2/cached_images'],
        ['DELETE', '/v2/queued_images/x'],
      ])('refuses %s %s to those who are no admins', async (method, path) => {
        expect((await owner.send(method, path)).status).toBe(403);
      });

      it('removes one image, or all', async () => {
        const [one, other] = [await remoteImage(), await remoteImage()];
        for (const { id } of [one, other]) await owner.download(id).then(() => isCached(id));

        await admin.expect(204, 'DELETE', `/v2/cache/${one.id}`);
        await admin.expect(204, 'DELETE', `/v2/cache/${one.id}`);
        expect(await entry(one.id)).toBeUndefined();
        const clear = (target: string) =>
          admin.send('DELETE', '/v2/cache', { headers: { 'x-image-cache-clear-target': target } });
        expect((await clear('both')).status).toBe(400);
        expect((await clear('Queue')).status).toBe(204);
        expect(await entry(other.id)).toBeDefined();
        expect((await clear('CACHE')).status).toBe(204);

        expect((await state()).cached_images).toEqual([]);
        expect((await admin.send('DELETE', `/v2/cache/${randomUUID()}`)).status).toBe(404);
      });

      it('cleans and prunes', async () => {
        const clean = await admin.expect(200, 'POST', '/v2/cache/clean');
        const prune = await admin.expect(200, 'POST', '/v2/cache/prune');

        expect(clean.text).toBe('');
        expect(JSON.parse(prune.text)).toEqual({ total_files_pruned: 0, total_bytes_pruned: 0 });
      });

      it('has no table of nodes', async () => {
        expect((await admin.send('GET', `/v2/cache/nodes/${randomUUID()}`)).status).toBe(409);
      });

      it('refuses a body only where it lists', async () => {
        const body = { headers: JSON_TYPE, body: '{}' };

        expect((await admin.send('POST', '/v2/cache/prune', body)).status).toBe(200);
        expect((await admin.send('DELETE', '/v2/cache', body)).status).toBe(204);
      });

      it('makes the versions that need it', async () => {
        const { versions } = JSON.parse((await admin.send('GET', '/versions')).text) as {
          versions: { id: string; status: string }[];
        };

        expect(versions[0]).toMatchObject({ id: 'v2.18', status: 'CURRENT' });
        expect(versions.map(({ id }) => id)).toEqual(expect.arrayContaining(['v2.14', 'v2.16']));
        expect((await admin.send('GET', '/v2.14/cache')).status).toBe(200);
      });

      it('has the older routes', async () => {
        const { id } = await remoteImage();

        expect((await admin.expect(200, 'PUT', `/v2/queued_images/${id}`)).text).toBe('null');
        await isCached(id);
        const listed = JSON.parse((await admin.expect(200, 'GET', '/v2/cached_images')).text) as CacheState;
        expect(listed.cached_images).toEqual([await entry(id)]);
        expect((await admin.expect(200, 'DELETE', `/v2/cached_images/${randomUUID()}`)).text).toBe('null');
        expect((await admin.expect(200, 'GET', '/v2/queued_images')).text).toBe('{"queued_images":[]}');
        expect((await admin.expect(200, 'DELETE', '/v2/queued_images')).text).toBe('{"num_deleted":0}');
        expect((await admin.expect(200, 'DELETE', '/v2/cached_images')).text).toBe('{"num_deleted":1}');
        expect((await admin.send('POST', '/v2/cached_images')).status).toBe(404);
        expect((await admin.send('GET', `/v2/cached_images/${id}`)).status).toBe(404);
      });
    });
  },
  cacheConfiguration,
);

eachMode(
  'Without a cache',
  (glimpse) => {
    const url = () => glimpse().url;
    const admin = new ImageApi(url, identity('admin', 'admin', 'member', 'reader'));
    const member = new ImageApi(url, identity('owner', 'member', 'reader'));

    it.each([
      ['GET', '/v2/cache'],
      ['DELETE', '/v2/cache'],
      ['POST', '/v2/cache/prune'],
      ['POST', '/v2/cache/clean'],
      ['GET', '/v2/cache/nodes/x'],
    ])('%s %s is 404 for those who might, and 403 for others', async (method, path) => {
      expect((await admin.send(method, path)).status).toBe(404);
      expect((await member.send(method, path)).status).toBe(403);
    });

    it('nothing can be queued, nor are there the older routes and versions', async () => {
      const { id } = await member.create();

      expect((await admin.send('PUT', `/v2/cache/${id}`)).status).toBe(404);
      expect((await admin.send('GET', '/v2/cached_images')).status).toBe(404);
      expect((await admin.send('GET', '/v2.14/images')).status).toBe(300);
    });
  },
  { auth: 'headers' },
);
