import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataServer, ImageApi, type ImageDocument, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, V21, identity } from './callers.js';
import { severalStores } from './several-stores.js';

const several = severalStores();
let web: DataServer;
beforeAll(async () => {
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  await several.remove();
});

const digest = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex');
/** New data on the web. */
const publish = (size = 300_000) => {
  const name = randomUUID();
  const data = randomBytes(size);
  return { name, data, url: web.serve(name, data) };
};
const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

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
      const release = web.hold(name);
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

    it('puts an image back to queued, without the location, when the data is something else', async () => {
      const { data, url } = publish();
      const wrong = { os_hash_algo: 'sha512', os_hash_value: 'a'.repeat(128) };

      const id = await registered({ url, validation_data: wrong });

      expect(await ended(id)).toMatchObject({ status: 'failure', result: null });
      const image = await owner.show(id);
      expect(image).toMatchObject({ status: 'queued', size: null });
      expect(hashes(image)).toEqual([null, null, null]);
      expect(image).not.toHaveProperty('stores');
      await owner.upload(id, data);
      expect((await owner.download(id)).equals(data)).toBe(true);
    });

    it('leaves an image queued when there is no data', async () => {
      const id = await registered({ url: web.urlOf('nothing') });
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
      const url = web.urlOf(name).replace('http://', 'http://me:secret@');
      const id = await registered({ url });
      await ended(id);

      expect((await owner.send('GET', `/v2/images/${id}/locations`)).status).toBe(403);
      expect((await stranger.send('GET', `/v2/images/${id}/locations`)).status).toBe(404);
      const { text } = await service.expect(200, 'GET', `/v2/images/${id}/locations`);
      expect(JSON.parse(text)).toEqual([{ url: web.urlOf(name), metadata: { store: 'web' } }]);
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
      expect(web.seen.filter((request) => request === `GET ${new URL(url).pathname}`)).toEqual([]);
    });
  },
  { env: { ...several.env, GLIMPSE_IMAGES_DO_SECURE_HASH: 'false' } },
);

eachMode(
  'Locations in the image document',
  (glimpse) => {
    const admin = new ImageApi(() => glimpse().url, identity('admin', 'admin', 'member', 'reader'));
    const owner = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));

    const patch = (id: string, changes: unknown[], caller = owner) =>
      caller.send('PATCH', `/v2/images/${id}`, { headers: V21, body: JSON.stringify(changes) });
    const add = (url: string, more: object = {}, position = '-') => ({
      op: 'add',
      path: `/locations/${position}`,
      value: { url, metadata: {}, ...more },
    });
    const remove = (position: string) => ({ op: 'remove', path: `/locations/${position}` });
    const replace = (...locations: object[]) => ({ op: 'replace', path: '/locations', value: locations });
    const urlsOf = async (id: string) =>
      ((await owner.show(id))['locations'] as { url: string }[]).map(({ url }) => url);
    const uploaded = async () => {
      const { id } = await owner.create();
      await owner.upload(id, 'data');
      return id;
    };

    it('makes a queued image active, and shows where its data is', async () => {
      const { url, data } = publish();
      const { id } = await owner.create();
      const validation_data = {
        checksum: digest('md5', data),
        os_hash_algo: 'sha512',
        os_hash_value: digest('sha512', data),
      };

      const answer = await patch(id, [add(`${url}#one`, { validation_data })]);

      expect(answer.status).toBe(200);
      const image = JSON.parse(answer.text) as ImageDocument;
      expect(image).toMatchObject({
        status: 'active',
        size: data.length,
        stores: 'web',
        direct_url: `${url}#one`,
        locations: [{ url: `${url}#one`, metadata: { store: 'web' } }],
        ...validation_data,
      });
      expect(await owner.show(id)).toEqual(image);
      expect(await owner.list(`id=${id}`)).toEqual([image]);
      expect((await owner.download(id)).equals(data)).toBe(true);
    });

    it('shows an image without data as such', async () => {
      const { id } = await owner.create();

      const image = await owner.show(id);

      expect(image['locations']).toEqual([]);
      expect(image).not.toHaveProperty('direct_url');
    });

    it('takes several, each once, up to the quota', async () => {
      const { url } = publish();
      const id = await uploaded();

      expect((await patch(id, [add(url), add(`${url}#2`)])).status).toBe(200);
      expect((await patch(id, [add(url)])).status).toBe(400);
      expect((await patch(id, [add(`${url}#3`), add(`${url}#4`)])).status).toBe(413);
      expect((await patch(id, [add(`${url}#3`, {}, '0')])).status).toBe(200);
      // The store with the data has the greater weight.
      expect((await urlsOf(id))[0]).toContain('file://');
      expect(await owner.show(id)).toMatchObject({ stores: 'slow,web' });
    });

    it('edits their metadata, and replaces nothing else', async () => {
      const { url } = publish();
      const { id } = await owner.create();
      expect((await patch(id, [replace({ url, metadata: { a: 'b' } })])).status).toBe(200);

      const edited = await patch(id, [replace({ url, metadata: { c: 'd', store: 'slow' } })]);

      expect(JSON.parse(edited.text)).toMatchObject({
        locations: [{ url, metadata: { c: 'd', store: 'web' } }],
      });
      expect((await patch(id, [replace({ url: publish().url, metadata: {} })])).status).toBe(400);
      expect((await patch(id, [replace()])).status).toBe(403);
      expect((await patch(id, [replace({ url }, { url })])).status).toBe(400);
    });

    it('lets administrators remove them, but for the last, and their data with them', async () => {
      const id = await uploaded();
      await patch(id, [add(publish().url)]);
      expect(await isThere(several.fileOf('slow', id))).toBe(true);

      expect((await patch(id, [remove('0')])).status).toBe(403);
      expect((await patch(id, [remove('2')], admin)).status).toBe(400);
      expect((await patch(id, [remove('x')], admin)).status).toBe(400);
      expect((await patch(id, [remove('0')], admin)).status).toBe(200);
      expect((await patch(id, [remove('0')], admin)).status).toBe(403);

      expect(await owner.show(id)).toMatchObject({ status: 'active', stores: 'web' });
      await waitFor('the data to be gone', async () => !(await isThere(several.fileOf('slow', id))));
    });

    it('can be let go of by their store, while a download goes on', async () => {
      const { url, data, name } = publish(2_000_000);
      const { id } = await owner.create();
      await patch(id, [add(url)]);
      expect((await patch(id, [add(`${url}#b`)])).status).toBe(200);
      const release = web.hold(name);
      const download = owner.download(id);
      await waitFor('the download', () => web.seen.includes(`GET /${name}`));

      expect((await owner.send('DELETE', `/v2/stores/web/${id}`)).status).toBe(403);
      expect((await admin.send('DELETE', `/v2/stores/slow/${id}`)).status).toBe(404);
      expect((await admin.send('DELETE', `/v2/stores/web/${id}`)).status).toBe(204);
      expect((await admin.send('DELETE', `/v2/stores/web/${id}`)).status).toBe(403);

      release();
      expect((await download).equals(data)).toBe(true);
      expect(await urlsOf(id)).toHaveLength(1);
    });

    it('moves on to another location when one is gone', async () => {
      const one = publish();
      const other = web.serve(randomUUID(), one.data);
      const { id } = await owner.create();
      await patch(id, [add(one.url)]);
      await patch(id, [add(other)]);
      web.remove(one.name);

      expect((await owner.download(id)).equals(one.data)).toBe(true);
    });

    it('keeps both of two that are added at once, and one of two that are the same', async () => {
      const { url } = publish();
      const id = await uploaded();

      const answers = await Promise.all([patch(id, [add(`${url}#a`)]), patch(id, [add(`${url}#b`)])]);
      const same = await Promise.all([patch(id, [add(`${url}#c`)]), patch(id, [add(`${url}#c`)])]);

      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(same.map(({ status }) => status).toSorted()).not.toEqual([200, 200]);
      expect((await urlsOf(id)).filter((one) => one === `${url}#c`)).toHaveLength(1);
    });

    it.each<[string, number, object]>([
      ['a file of the server', 400, add('file:///etc/passwd')],
      ['a file system', 400, add('filesystem:///etc/passwd')],
      ["Swift's configuration", 400, add('swift+config://ref/container/object')],
      ['an unknown scheme', 400, add('gopher://example.org/x')],
      ['a place that is no number', 400, add('http://127.0.0.1:1/', {}, 'x')],
      ['a negative place', 400, add('http://127.0.0.1:1/', {}, '-1')],
      ['a server that does not answer', 400, add('http://127.0.0.1:1/x')],
      ['too long a URL', 400, add(`http://127.0.0.1/${'x'.repeat(255)}`)],
      ['empty validation data', 400, add('http://127.0.0.1:1/', { validation_data: {} })],
      ['no metadata', 400, { op: 'add', path: '/locations/-', value: { url: 'http://127.0.0.1:1/' } }],
      ['the list where one is meant', 400, { op: 'add', path: '/locations', value: [] }],
      ['one where the list is meant', 400, { op: 'replace', path: '/locations/0', value: [] }],
    ])('answers to %s with %i', async (_, status, change) => {
      const { id } = await owner.create();

      expect((await patch(id, [change])).status).toBe(status);
    });

    it('wants what is said of the data to fit', async () => {
      const { url, data } = publish();
      const validated = (more: object) => add(url, { validation_data: more });
      const hash = { os_hash_algo: 'sha512', os_hash_value: digest('sha512', data) };
      const { id } = await owner.create();

      for (const wrong of [
        { os_hash_algo: 'sha256', os_hash_value: digest('sha256', data) },
        { ...hash, os_hash_value: 'aa' },
        { ...hash, os_hash_value: 'g'.repeat(128) },
        { ...hash, checksum: 'g'.repeat(32) },
      ])
        expect((await patch(id, [validated(wrong)])).status).toBe(409);
      expect((await patch(id, [validated({ ...hash, checksum: 'aa' })])).status).toBe(400);
      expect((await patch(id, [validated(hash)])).status).toBe(200);
      const again = { ...add(`${url}#2`), value: { url: `${url}#2`, metadata: {}, validation_data: hash } };
      expect((await patch(id, [again])).status).toBe(200);
      const other = { ...hash, os_hash_value: 'a'.repeat(128) };
      expect((await patch(id, [validated(other)])).status).toBe(409);
    });

    it('needs the formats of the image, and a status that allows it', async () => {
      const { url } = publish();
      const { id } = await owner.create({ disk_format: null });

      expect((await patch(id, [add(url)])).status).toBe(400);
      expect((await patch(id, [{ op: 'add', path: '/disk_format', value: 'raw' }, add(url)])).status).toBe(
        200,
      );
      await owner.expect(204, 'POST', `/v2/images/${id}/actions/deactivate`);
      expect((await patch(id, [add(`${url}#2`)])).status).toBe(409);
      expect(await owner.show(id)).toMatchObject({ locations: [] });
      expect(await owner.show(id)).not.toHaveProperty('direct_url');
      expect((await admin.show(id))['locations']).toHaveLength(1);
    });

    it('changes nothing when one of several changes is refused', async () => {
      const { url } = publish();
      const { id } = await owner.create();

      expect((await patch(id, [add(url), { op: 'remove', path: '/nothing' }])).status).toBe(409);

      expect(await owner.show(id)).toMatchObject({ status: 'queued', locations: [] });
    });
  },
  {
    auth: 'headers',
    env: {
      ...several.env,
      GLIMPSE_IMAGES_SHOW_MULTIPLE_LOCATIONS: 'true',
      GLIMPSE_IMAGES_SHOW_IMAGE_DIRECT_URL: 'true',
      GLIMPSE_LIMITS_LOCATION_QUOTA: '4',
    },
  },
);

eachMode('Locations that are not shown', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);

  it('are not changed either', async () => {
    const { id } = await api.create();
    await api.upload(id, 'data');
    const location = { url: 'http://example.org/x', metadata: {} };

    for (const change of [
      { op: 'add', path: '/locations/-', value: location },
      { op: 'replace', path: '/locations', value: [location] },
      { op: 'remove', path: '/locations/0' },
    ])
      expect(
        (await api.send('PATCH', `/v2/images/${id}`, { headers: V21, body: JSON.stringify([change]) }))
          .status,
      ).toBe(403);

    const image = await api.show(id);
    expect(image).not.toHaveProperty('locations');
    expect(image).not.toHaveProperty('direct_url');
  });

  describe('without a store that reads the web', () => {
    it('can be registered by nobody but services', async () => {
      const { id } = await api.create();
      const body = JSON.stringify({ url: 'http://example.org/x' });

      const answer = await api.send('POST', `/v2/images/${id}/locations`, { headers: JSON_TYPE, body });

      expect(answer.status).toBe(403);
    });
  });
});
