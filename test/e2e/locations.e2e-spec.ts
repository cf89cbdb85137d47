import { createHash, randomBytes } from 'node:crypto';
import { afterAll, expect, it } from '@jest/globals';
import { ImageApi, type ImageDocument, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, identity } from './callers.js';
import { severalStores } from './several-stores.js';
import { webData } from './web-data.js';

const several = severalStores();
const { publish, web } = webData();
afterAll(() => several.remove());

const digest = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex');
type Task = { status: string; type: string; message: string; result: unknown };

eachMode(
  'The locations API',
  (glimpse) => {
    const owner = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const stranger = new ImageApi(() => glimpse().url, identity('p2', 'member', 'reader'));
    const service = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader', 'service'));

    const register = (id: string, body: unknown, caller = owner) =>
      caller.send('POST', `/v2/images/${id}/locations`, { headers: JSON_TYPE, body: JSON.stringify(body) });
    const registered = async (body: unknown, attributes: object = {}) => {
      const { id } = await owner.create(attributes);
      const answer = await register(id, body);
      expect([answer.status, answer.text]).toEqual([202, '']);
      return id;
    };
    const tasksOf = async (id: string) =>
      (JSON.parse((await owner.expect(200, 'GET', `/v2/images/${id}/tasks`)).text) as { tasks: Task[] })
        .tasks;
    const ended = (id: string): Promise<Task> =>
      waitFor('the task to end', async () => {
        const [task] = await tasksOf(id);
        return task?.status === 'success' || task?.status === 'failure' ? task : undefined;
      });
    const hashes = ({ checksum, os_hash_algo, os_hash_value }: ImageDocument) => [
      checksum,
      os_hash_algo,
      os_hash_value,
    ];

    it('makes an image of data that lies elsewhere, and hashes it afterwards', async () => {
      const { data, url } = publish();

      const id = await registered({ url, validation_data: {} });

      expect(await ended(id)).toMatchObject({ type: 'location_import', status: 'success', message: '' });
      const image = await owner.show(id);
      expect(image).toMatchObject({ status: 'active', size: data.length, stores: 'web' });
      expect(hashes(image)).toEqual([digest('md5', data), 'sha512', digest('sha512', data)]);
      expect(image).not.toHaveProperty('os_glance_import_task');
      expect((await owner.download(id)).equals(data)).toBe(true);
    });

    it('has an image active, with the algorithm, before its data is hashed', async () => {
      const { name, data, url } = publish(3_000_000);
      const release = web().hold(name);

      const id = await registered({ url });

      await waitFor('it to be active', async () => (await owner.show(id)).status === 'active');
      expect(hashes(await owner.show(id))).toEqual([null, 'sha512', null]);
      release();
      expect(await ended(id)).toMatchObject({ status: 'success' });
      expect(hashes(await owner.show(id))).toEqual([digest('md5', data), 'sha512', digest('sha512', data)]);
    });

    it('verifies what the caller says of the data before the image is active', async () => {
      const { data, url } = publish();
      const validation = { os_hash_algo: 'sha256', os_hash_value: digest('sha256', data) };

      const id = await registered({ url, validation_data: validation });

      expect(await ended(id)).toMatchObject({ status: 'success' });
      const image = await owner.show(id);
      expect(image).toMatchObject({ status: 'active', size: data.length });
      expect(hashes(image)).toEqual([digest('md5', data), 'sha256', validation.os_hash_value]);
    });

    it('has an image importing, and its task locked, while the data is read', async () => {
      const { name, data, url } = publish(3_000_000);
      const release = web().hold(name);
      const validation = { os_hash_algo: 'sha512', os_hash_value: digest('sha512', data) };
      const id = await registered({ url, validation_data: validation });

      await waitFor('it to be importing', async () => (await owner.show(id)).status === 'importing');
      expect((await register(id, { url })).status).toBe(409);
      expect((await owner.send('GET', `/v2/images/${id}/file`)).status).toBe(204);
      const [running] = await tasksOf(id);
      expect(running?.status).toBe('processing');

      release();
      expect(await ended(id)).toMatchObject({ status: 'success' });
      expect((await owner.show(id)).status).toBe('active');
    });

    it('puts an image back to queued when the data is something else, which nobody is served then or later', async () => {
      const { data, url } = publish();
      const wrong = { os_hash_algo: 'sha512', os_hash_value: 'a'.repeat(128) };

      const id = await registered({ url, validation_data: wrong });

      expect(await ended(id)).toMatchObject({ status: 'failure', result: null });
      const image = await owner.show(id);
      expect(image).toMatchObject({ status: 'queued', size: null });
      expect(hashes(image)).toEqual([null, null, null]);
      expect(image).toMatchObject({ stores: 'web' });
      expect((await owner.send('GET', `/v2/images/${id}/file`)).status).toBe(204);
      const own = randomBytes(data.length);
      await owner.upload(id, own);
      expect((await owner.show(id))['stores']).not.toContain('web');
      expect((await owner.download(id)).equals(own)).toBe(true);
    });

    it('leaves an image queued when there is no data', async () => {
      const id = await registered({ url: web().urlOf('nothing') });
      const without = await registered({ url: publish().url }, { disk_format: null });
      const nobody = await registered({ url: 'http://127.0.0.1:1/x' });

      expect(await ended(id)).toMatchObject({ status: 'failure' });
      expect(await ended(without)).toMatchObject({
        status: 'failure',
        message: expect.stringContaining('container_format'),
      });
      for (const queued of [id, without]) expect((await owner.show(queued)).status).toBe('queued');
      expect((await register(id, { url: publish().url })).status).toBe(202);
      expect(await ended(nobody)).toMatchObject({ status: 'failure' });
    });

    it.each<[string, unknown]>([
      ['no URL', {}],
      ['an array', []],
      ['a hash without its algorithm', { url: 'http://x', validation_data: { os_hash_value: 'aa' } }],
      ['an algorithm without its hash', { url: 'http://x', validation_data: { os_hash_algo: 'md5' } }],
      [
        'another algorithm',
        { url: 'http://x', validation_data: { os_hash_algo: 'sha384', os_hash_value: 'a'.repeat(96) } },
      ],
      [
        'a hash of another length',
        { url: 'http://x', validation_data: { os_hash_algo: 'md5', os_hash_value: 'aa' } },
      ],
      [
        'no hex',
        { url: 'http://x', validation_data: { os_hash_algo: 'md5', os_hash_value: 'g'.repeat(32) } },
      ],
      ['more than a hash', { url: 'http://x', validation_data: { checksum: 'a'.repeat(32) } }],
    ])('answers 400 to %s', async (_, body) => {
      const { id } = await owner.create();

      expect((await register(id, body)).status).toBe(400);
    });

    it('refuses callers and images in the order of the checks', async () => {
      const { url } = publish();
      const { id } = await owner.create();
      const { id: full } = await owner.create();
      await owner.upload(full, 'data');

      expect((await register('nothing', { url })).status).toBe(404);
      expect((await register(id, { url }, stranger)).status).toBe(404);
      expect((await register(id, { url: 'rbd://fsid/pool/image/snap' })).status).toBe(403);
      expect((await register(id, { url: url.replace('http', 'HTTP') })).status).toBe(403);
      expect((await register(full, { url })).status).toBe(409);
      const others = await owner.send('PUT', `/v2/images/${id}/locations`);
      expect([others.status, others.headers.get('allow')]).toEqual([405, 'GET, POST']);
    });

    it('lets services name other places, but not the files of the servers', async () => {
      const { id } = await owner.create();

      const answer = await register(id, { url: `file://${several.fileOf('fast', id)}` }, service);

      expect(answer.status).toBe(202);
      expect(await ended(id)).toMatchObject({ status: 'failure' });
      expect((await owner.show(id)).status).toBe('queued');
    });

    it('shows locations to services, without credentials', async () => {
      const { name, data } = publish();
      const url = web().urlOf(name).replace('http://', 'http://me:secret@');
      const id = await registered({ url });
      await ended(id);

      expect((await owner.send('GET', `/v2/images/${id}/locations`)).status).toBe(403);
      expect((await stranger.send('GET', `/v2/images/${id}/locations`)).status).toBe(404);
      const { text } = await service.expect(200, 'GET', `/v2/images/${id}/locations`);
      expect(JSON.parse(text)).toEqual([{ url: web().urlOf(name), metadata: { store: 'web' } }]);
      expect((await owner.download(id)).equals(data)).toBe(true);
      expect(glimpse().logs).not.toContain('secret');
    });

    it('forgets the data of others when an image is deleted', async () => {
      const { url } = publish();
      const id = await registered({ url });
      await ended(id);

      await owner.delete(id);

      expect((await owner.send('GET', `/v2/images/${id}/locations`)).status).toBe(404);
    });
  },
  { auth: 'headers', env: { ...several.env, GLIMPSE_JOBS_RETRY_BASE_MS: '50' } },
);

eachMode(
  'The locations API without hashing',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);

    it('takes what it is told', async () => {
      const { url, data } = publish();
      const said = { os_hash_algo: 'sha1', os_hash_value: 'b'.repeat(40) };
      const told = await api.create();
      const untold = await api.create();

      for (const [id, body] of [
        [told.id, { url, validation_data: said }],
        [untold.id, { url }],
      ] as const)
        await api.expect(202, 'POST', `/v2/images/${id}/locations`, {
          headers: JSON_TYPE,
          body: JSON.stringify(body),
        });

      for (const id of [told.id, untold.id])
        await waitFor('it to be active', async () => (await api.show(id)).status === 'active');
      expect(await api.show(told.id)).toMatchObject({ ...said, checksum: null, size: data.length });
      expect(await api.show(untold.id)).toMatchObject({ os_hash_algo: null, os_hash_value: null });
      expect(web().seen.filter((request) => request === `GET ${new URL(url).pathname}`)).toEqual([]);
    });
  },
  { env: { ...several.env, GLIMPSE_IMAGES_DO_SECURE_HASH: 'false' } },
);
