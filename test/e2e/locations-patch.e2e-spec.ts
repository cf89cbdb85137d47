import { createHash, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ImageApi, type ImageDocument, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, V21, identity } from './callers.js';
import { severalStores } from './several-stores.js';
import { webData } from './web-data.js';

const several = severalStores();
const { publish, web } = webData();
afterAll(() => several.remove());
const digest = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex');
const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
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
      const release = web().hold(name);
      const download = owner.download(id);
      await waitFor('the download', () => web().seen.includes(`GET /${name}`));

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
      const other = web().serve(randomUUID(), one.data);
      const { id } = await owner.create();
      await patch(id, [add(one.url)]);
      await patch(id, [add(other)]);
      web().remove(one.name);

      expect((await owner.download(id)).equals(one.data)).toBe(true);
    });

    it('keeps both of two that are added at once, and one of two that are the same', async () => {
      const { url } = publish();
      const id = await uploaded();

      const answers = await Promise.all([patch(id, [add(`${url}#a`)]), patch(id, [add(`${url}#b`)])]);
      const same = await Promise.all([patch(id, [add(`${url}#c`)]), patch(id, [add(`${url}#c`)])]);

      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(same.map(({ status }) => status)).not.toEqual([200, 200]);
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
