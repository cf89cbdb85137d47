import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataServer, ImageApi, type ImageDocument, eachMode, waitFor } from '@glimpse/testing';
import { identity } from './callers.js';
import { severalStores } from './several-stores.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex');

interface Task {
  readonly status: string;
  readonly message: string;
  readonly type: string;
  readonly input: Record<string, unknown>;
  readonly result: Record<string, unknown> | null;
}

const several = severalStores();
afterAll(() => several.remove());

eachMode(
  'Imports',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const member = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    let web: DataServer;
    beforeAll(async () => {
      web = await DataServer.start();
    });
    afterAll(() => web.close());

    const stage = (id: string, body: Buffer | string, headers = {}) =>
      api.send('PUT', `/v2/images/${id}/stage`, { headers: { ...OCTETS, ...headers }, body });
    const importIt = (id: string, method: object, more: object = {}, headers = {}, as = api) =>
      as.send('POST', `/v2/images/${id}/import`, {
        headers: { ...JSON_TYPE, ...headers },
        body: JSON.stringify({ method, ...more }),
      });
    const direct = { name: 'glance-direct' };
    const download = (uri: string) => ({ name: 'web-download', uri });
    const copy = { name: 'copy-image' };
    const ended = (id: string) =>
      waitFor('the end of the import', async () => {
        const image = await api.show(id);
        const isBusy = image.status === 'importing' || image['os_glance_importing_to_stores'] !== '';
        return isBusy || 'os_glance_import_task' in image ? undefined : image;
      });
    /** Data of which the second half comes when the answer is called. */
    const holdOnWeb = (name: string) => {
      web.serve(name, randomBytes(2_000_000));
      return web.hold(name);
    };
    const tasksOf = async (id: string) =>
      (JSON.parse((await api.expect(200, 'GET', `/v2/images/${id}/tasks`)).text) as { tasks: Task[] }).tasks;
    const staged = async (data: Buffer): Promise<ImageDocument> => {
      const image = await api.create();
      expect((await stage(image.id, data)).status).toBe(204);
      return image;
    };

    it('are offered', async () => {
      const { text } = await api.expect(200, 'GET', '/v2/info/import');
      const created = await api.expect(201, 'POST', '/v2/images', { body: '{}' });

      expect(text).toContain('["glance-direct","web-download","copy-image"]');
      expect(created.headers.get('openstack-image-import-methods')).toBe(
        'glance-direct,web-download,copy-image',
      );
    });

    it('take what was staged', async () => {
      const data = randomBytes(3_000_000);
      const { id } = await api.create();

      expect((await stage(id, data)).status).toBe(204);
      expect(await api.show(id)).toMatchObject({ status: 'uploading', size: data.length });
      expect((await stage(id, data)).status).toBe(409);
      expect((await api.send('PUT', `/v2/images/${id}/file`, { headers: OCTETS, body: data })).status).toBe(
        409,
      );
      expect((await importIt(id, direct)).status).toBe(202);

      const image = await ended(id);
      expect(image).toMatchObject({
        status: 'active',
        size: data.length,
        os_hash_value: sha512(data),
        checksum: createHash('md5').update(data).digest('hex'),
        stores: 'slow',
        os_glance_importing_to_stores: '',
        os_glance_failed_import: '',
      });
      expect(sha512(await api.download(id))).toBe(sha512(data));
      expect((await importIt(id, direct)).status).toBe(409);
      const [task] = await tasksOf(id);
      expect(task).toMatchObject({
        type: 'api_image_import',
        status: 'success',
        message: 'Copied 2 MiB',
        result: { image_id: id },
        input: { image_id: id, import_req: { method: direct }, backend: ['slow'] },
      });
    });

    it('go into several stores at once, and leave nothing staged', async () => {
      const data = randomBytes(5_000_000);
      const { id } = await staged(data);

      expect((await importIt(id, direct, { all_stores: true })).status).toBe(202);

      expect(await ended(id)).toMatchObject({ status: 'active', stores: 'fast,slow' });
      for (const store of ['fast', 'slow'] as const)
        expect(sha512(await readFile(several.fileOf(store, id)))).toBe(sha512(data));
    });

    it('need what they import to be there', async () => {
      const { id } = await api.create();

      expect((await importIt(id, direct)).status).toBe(409);
      expect((await importIt(id, copy)).status).toBe(409);
      expect((await importIt(id, { name: 'nonsense' })).status).toBe(400);
      expect((await importIt(id, { name: 'web-download' })).status).toBe(400);
      expect((await importIt(id, download('http://x/'), { stores: ['none'] })).status).toBe(409);
    });

    it('can be held to a digest', async () => {
      const data = randomBytes(100_000);
      const uri = web.serve('digest', data);
      const value = createHash('sha256').update(data).digest('hex');
      for (const [digest, status] of [
        [value, 'active'],
        [sha512(data).slice(0, 64), 'queued'],
      ] as const) {
        const { id } = await api.create();
        const method = { ...download(uri), expected_digest: { algorithm: 'sha256', value: digest } };
        expect((await importIt(id, method)).status).toBe(202);
        expect(await ended(id)).toMatchObject({ status });
        const [task] = await tasksOf(id);
        expect(task?.status).toBe(status === 'active' ? 'success' : 'failure');
      }
      const { id } = await api.create();
      const wrong = { ...download(uri), expected_digest: { algorithm: 'sha256', value: 'x' } };
      expect((await importIt(id, wrong)).status).toBe(400);
    });

    it('take nothing that does not pass the filter', async () => {
      for (const uri of [
        'ftp://example.org/x',
        'http://2130706433/x',
        'http://example.org:22/x',
        'file:///etc/passwd',
      ]) {
        const { id } = await api.create();
        const answer = await importIt(id, download(uri));

        expect(answer.status).toBe(400);
        expect(answer.text).toContain('does not pass filtering');
        expect(await api.show(id)).toMatchObject({ status: 'queued' });
      }
    });

    it('download from the web', async () => {
      const data = randomBytes(2_000_000);
      const url = web.serve('disk', data);
      const { id } = await api.create();

      expect((await importIt(id, download(url), { stores: ['fast'] })).status).toBe(202);

      expect(await ended(id)).toMatchObject({ status: 'active', size: data.length, stores: 'fast' });
      expect(sha512(await api.download(id))).toBe(sha512(data));
    });

    it('leave the image queued when there is nothing behind the URL', async () => {
      const { id } = await api.create();

      expect((await importIt(id, download(web.urlOf('absent')), { stores: ['fast', 'slow'] })).status).toBe(
        202,
      );

      expect(await ended(id)).toMatchObject({
        status: 'queued',
        os_glance_failed_import: 'fast,slow',
        size: null,
      });
      const [task] = await tasksOf(id);
      expect(task).toMatchObject({ status: 'failure' });
      expect(task?.message).toContain('answered 404');
      await api.upload(id, 'data');
    });

    it('copy to other stores, while the image stays active', async () => {
      const data = randomBytes(1_000_000);
      const { id } = await api.create();
      await api.upload(id, data);

      expect((await importIt(id, copy, { stores: ['slow'] })).status).toBe(400);
      expect((await importIt(id, copy, { stores: ['fast'] }, {}, member)).status).toBe(403);
      expect((await importIt(id, copy, { stores: ['fast'] })).status).toBe(202);
      expect(await ended(id)).toMatchObject({ status: 'active', stores: 'fast,slow' });
      expect((await importIt(id, copy, { all_stores: true })).status).toBe(202);
      expect(await tasksOf(id)).toHaveLength(1);
      expect((await api.send('DELETE', `/v2/stores/slow/${id}`)).status).toBe(204);
      expect(sha512(await api.download(id))).toBe(sha512(data));
      expect((await api.send('DELETE', `/v2/stores/fast/${id}`)).status).toBe(403);
    });

    it('do not copy what is damaged', async () => {
      const { id } = await api.create();
      await api.upload(id, randomBytes(1_000_000));
      await writeFile(several.fileOf('slow', id), randomBytes(1_000_000));

      expect((await importIt(id, copy, { stores: ['fast'] })).status).toBe(202);

      expect(await ended(id)).toMatchObject({
        status: 'active',
        stores: 'slow',
        os_glance_failed_import: 'fast',
      });
      expect((await tasksOf(id))[0]?.message).toContain('damaged');
    });

    describe('into a store that fails', () => {
      // The name is taken by a directory: that stops even root.
      const obstruct = (id: string) => mkdir(several.fileOf('fast', id), { recursive: true });
      const clear = (id: string) => rm(several.fileOf('fast', id), { recursive: true });

      it('give up all where all must succeed, and can be repeated', async () => {
        const data = randomBytes(2_000_000);
        const { id } = await staged(data);
        await obstruct(id);

        expect((await importIt(id, direct, { stores: ['fast', 'slow'] })).status).toBe(202);
        expect(await ended(id)).toMatchObject({ status: 'queued', os_glance_failed_import: 'fast' });
        await expect(readFile(several.fileOf('slow', id))).rejects.toThrow('ENOENT');

        await clear(id);
        expect((await stage(id, data)).status).toBe(204);
        expect((await importIt(id, direct, { stores: ['fast', 'slow'] })).status).toBe(202);
        expect(await ended(id)).toMatchObject({ status: 'active', os_glance_failed_import: '' });
      });

      it('go on with the others where they may', async () => {
        const data = randomBytes(2_000_000);
        const { id } = await staged(data);
        await obstruct(id);

        const answer = await importIt(id, direct, {
          stores: ['fast', 'slow'],
          all_stores_must_succeed: false,
        });

        expect(answer.status).toBe(202);
        expect(await ended(id)).toMatchObject({
          status: 'active',
          stores: 'slow',
          os_glance_failed_import: 'fast',
        });
        expect(sha512(await api.download(id))).toBe(sha512(data));
      });
    });

    it('are one at a time', async () => {
      const release = holdOnWeb('slowly');
      const { id } = await api.create();

      const answers = await Promise.all([1, 2, 3].map(() => importIt(id, download(web.urlOf('slowly')))));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409, 409]);
      release();
      expect(await ended(id)).toMatchObject({ status: 'active' });
    });

    it('end when the image is deleted, and leave nothing', async () => {
      const release = holdOnWeb('deleted');
      const { id } = await api.create();
      await importIt(id, download(web.urlOf('deleted')), { stores: ['fast'] });
      await waitFor('the download', () => web.seen.includes('GET /deleted'));

      await api.delete(id);
      release();

      await waitFor('the removal of what was written', async () => {
        const left = await readdir(dirname(several.fileOf('fast', id)));
        return !left.some((name) => name.includes(id));
      });
    });

    it('remove what was staged with the image', async () => {
      const { id } = await staged(randomBytes(1_000));

      await api.delete(id);

      expect((await api.send('GET', `/v2/images/${id}`)).status).toBe(404);
    });
  },
  {
    auth: 'headers',
    env: {
      ...several.env,
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_DISALLOWED_PORTS: '22',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
      GLIMPSE_JOBS_LEASE_MS: '2000',
    },
  },
);
