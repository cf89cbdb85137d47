import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { identity } from './callers.js';
import { severalStores } from './several-stores.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

const several = severalStores();
afterAll(() => several.remove());

eachMode(
  'Several stores',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const member = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const service = new ImageApi(() => glimpse().url, identity('s', 'service'));

    const uploadTo = (store: string | undefined, id: string, body: Buffer | string = 'data') =>
      api.send('PUT', `/v2/images/${id}/file`, {
        headers: { ...OCTETS, ...(store === undefined ? {} : { 'x-image-meta-store': store }) },
        body,
      });
    const stored = async (data = randomBytes(100_000)) => {
      const { id } = await api.create();
      await uploadTo('slow', id, data);
      return { id, data };
    };

    it('are listed, with what everybody may know', async () => {
      const { text } = await member.expect(200, 'GET', '/v2/info/stores');

      expect(JSON.parse(text)).toEqual({
        stores: [
          { id: 'fast', description: 'The fast one' },
          { id: 'slow', default: 'true' },
          { id: 'web', description: 'Images of others', 'read-only': 'true' },
        ],
      });
    });

    it('are described to administrators and services', async () => {
      expect((await member.send('GET', '/v2/info/stores/detail')).status).toBe(403);
      for (const caller of [api, service]) {
        const { stores } = JSON.parse((await caller.expect(200, 'GET', '/v2/info/stores/detail')).text) as {
          stores: object[];
        };
        expect(stores[0]).toMatchObject({ id: 'fast', type: 'file', weight: 10 });
        expect(stores[0]).toHaveProperty('properties.thin_provisioning', false);
        expect(stores[2]).toMatchObject({ id: 'web', type: 'http', weight: 0, properties: {} });
      }
    });

    it('are named when an image is created, and none of their versions is missing', async () => {
      const created = await api.expect(201, 'POST', '/v2/images', { body: '{}' });
      const versions = (await api.send('GET', '/versions')).text;

      expect(created.headers.get('openstack-image-store-ids')).toBe('fast,slow,web');
      expect(created.headers.get('openstack-image-import-methods')).toBe(
        'glance-direct,web-download,copy-image',
      );
      for (const version of ['v2.8', 'v2.10', 'v2.11', 'v2.12', 'v2.13'])
        expect(versions).toContain(`"${version}"`);
    });

    it('take what is sent to them', async () => {
      const { id } = await api.create();
      const other = await api.create();

      expect((await uploadTo('fast', id)).status).toBe(204);
      expect((await uploadTo(undefined, other.id)).status).toBe(204);

      expect(await api.show(id)).toMatchObject({ status: 'active', stores: 'fast' });
      expect(await api.show(other.id)).toMatchObject({ stores: 'slow' });
      expect(await readFile(several.fileOf('fast', id), 'utf8')).toBe('data');
      expect(await isThere(several.fileOf('slow', other.id))).toBe(true);
    });

    it.each([
      ['nowhere', 400],
      ['', 400],
      ['web', 410],
    ])('refuse data for %j with %i', async (store, status) => {
      const { id } = await api.create();

      expect((await uploadTo(store, id)).status).toBe(status);
      await waitFor('the image to be queued', async () => (await api.show(id)).status === 'queued');
    });

    it('are preferred by name', async () => {
      const { id } = await api.create();
      await uploadTo('fast', id);

      expect((await api.send('GET', `/v2/images/${id}/file?prefer=slow,fast`)).text).toBe('data');
      expect((await api.send('GET', `/v2/images/${id}/file?prefer=nowhere`)).status).toBe(400);
    });

    describe('can let go of an image', () => {
      const removeFrom = (store: string, id: string, caller = api) =>
        caller.send('DELETE', `/v2/stores/${store}/${id}`);

      it('but for the last', async () => {
        const { id } = await stored();

        expect((await removeFrom('slow', id)).status).toBe(403);
        expect((await removeFrom('fast', id)).status).toBe(403);
      });

      it('and refuse in the order of the checks', async () => {
        const { id: queued } = await api.create();
        const { id } = await stored();

        expect((await removeFrom('nowhere', 'nothing')).status).toBe(409);
        expect((await removeFrom('slow', 'nothing')).status).toBe(404);
        expect((await removeFrom('slow', id, member)).status).toBe(403);
        expect((await removeFrom('slow', queued)).status).toBe(409);
        const withBody = await api.send('DELETE', `/v2/stores/slow/${id}`, { body: '{}' });
        expect(withBody.status).toBe(400);
        expect((await api.send('GET', `/v2/stores/slow/${id}`)).status).toBe(405);
      });
    });

    it('need not all be reachable: data is read from where it is', async () => {
      const { id } = await stored();
      await rm(several.fileOf('slow', id));

      expect((await api.send('GET', `/v2/images/${id}/file`)).status).toBe(204);
    });

    it('hash alike', async () => {
      const { id, data } = await stored();

      const image = await api.show(id);

      expect(image['os_hash_value']).toBe(createHash('sha512').update(data).digest('hex'));
    });
  },
  { auth: 'headers', env: several.env },
);

eachMode('One store', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);

  it('has none of the API of several', async () => {
    const { id } = await api.create();
    await api.upload(id, 'data');

    for (const path of ['/v2/info/stores', '/v2/info/stores/detail'])
      expect((await api.send('GET', path)).status).toBe(404);
    expect((await api.send('DELETE', `/v2/stores/file/${id}`)).status).toBe(404);
    expect((await api.send('GET', `/v2/images/${id}/file?prefer=file`)).status).toBe(400);
    expect(await api.show(id)).not.toHaveProperty('stores');
  });

  it('says how it imports', async () => {
    const { text } = await api.expect(200, 'GET', '/v2/info/import');

    expect(JSON.parse(text)).toEqual({
      'import-methods': {
        description: 'Import methods available.',
        type: 'array',
        value: ['glance-direct', 'web-download', 'copy-image'],
      },
    });
    expect((await api.send('POST', '/v2/info/import')).headers.get('allow')).toBe('GET');
  });
});
