import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';

const OCTETS = { 'content-type': 'application/octet-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

interface RawAnswer {
  readonly status: number;
  readonly wasContinued: boolean;
}

/** Uploads in ways that `fetch` can't: asking first, with a false length, or giving up half way. */
function rawUpload(
  url: string,
  options: { headers: Record<string, string>; body?: Buffer; signal?: AbortSignal },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let wasContinued = false;
    const sent = httpRequest(url, {
      method: 'PUT',
      headers: { ...OCTETS, ...options.headers },
      agent: false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    sent.on('continue', () => {
      wasContinued = true;
      sent.end(options.body);
    });
    sent.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, wasContinued });
    });
    sent.on('error', reject);
    if (options.signal !== undefined) sent.write(options.body);
    else if (options.headers['expect'] === undefined) sent.end(options.body);
    else sent.flushHeaders();
  });
}

const folder = mkdtempSync(join(tmpdir(), 'glimpse-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a configuration with two stores. */
function severalStores(): string {
  const file = join(folder, 'glimpse.yaml');
  const store = (id: string) => `  ${id}: { type: file, datadir: '${join(folder, id)}' }`;
  writeFileSync(file, `stores:\n${store('first')}\n${store('second')}\ndefault_store: first\n`);
  return file;
}

eachMode('The images API', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);
  const post = (body: object) =>
    api.send('POST', '/v2/images', { headers: JSON_TYPE, body: JSON.stringify(body) });
  const fileUrl = (id: string) => `${glimpse().url}/v2/images/${id}/file`;
  const statusOf = async (id: string) => (await api.show(id)).status;

  describe('create', () => {
    it('answers 201 with the whole image and where it is', async () => {
      const answer = await post({ name: 'new', tags: ['b', 'a', 'b'], Foo: 'é' });

      const image = JSON.parse(answer.text) as Record<string, unknown>;
      expect(answer.status).toBe(201);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.get('location')).toBe(`${glimpse().url}/v2/images/${String(image['id'])}`);
      expect(answer.headers.get('openstack-image-import-methods')).toBe(
        'glance-direct,web-download,copy-image',
      );
      expect(image).toMatchObject({
        name: 'new',
        status: 'queued',
        visibility: 'shared',
        protected: false,
        os_hidden: false,
        size: null,
        checksum: null,
        min_ram: 0,
        min_disk: 0,
        Foo: 'é',
        self: `/v2/images/${String(image['id'])}`,
        file: `/v2/images/${String(image['id'])}/file`,
        schema: '/v2/schemas/image',
      });
      expect((image['tags'] as string[]).toSorted()).toEqual(['a', 'b']);
      expect(image['created_at']).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
    });

    it('takes the id that was asked for, once, also after it was deleted', async () => {
      const id = '0ABCDEF0-0000-4000-8000-00000000000a';
      await api.create({ id });

      expect((await post({ id })).status).toBe(409);
      await api.delete(id);
      expect((await post({ id })).status).toBe(409);
    });

    it.each([
      [400, { name: 5 }],
      [400, { foo: 5 }],
      [400, { id: 'no-uuid' }],
      [400, { disk_format: 'floppy' }],
      [400, { min_ram: -1 }],
      [400, { tags: ['x'.repeat(256)] }],
      [400, { name: '😀' }],
      [403, { os_glance_import_task: 'x' }],
      [403, { status: 'active' }],
      [403, { locations: [] }],
      [400, { name: 'a\0b' }],
      [400, { tags: ['t\0u'] }],
      [400, { tags: Array.from({ length: 20_000 }, () => 1) }],
      [413, { tags: Array.from({ length: 129 }, (_, index) => `t${index}`) }],
      [413, Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`p${index}`, 'x']))],
    ])('answers %i to %j', async (status, body) => {
      expect((await post(body)).status).toBe(status);
    });
  });

  describe('show and delete', () => {
    it('finds nothing under an id that is none', async () => {
      for (const id of [
        'nonsense',
        '00000000-0000-0000-0000-000000000000',
        'x'.repeat(200),
        '%F0%9F%98%80',
        '%00',
      ])
        await api.expect(404, 'GET', `/v2/images/${id}`);
    });

    it('delete answers 204 once and 404 from then on', async () => {
      const { id } = await api.create();

      const answer = await api.expect(204, 'DELETE', `/v2/images/${id}`);

      expect(answer.headers.get('content-type')).toBe('text/html; charset=UTF-8');
      expect(answer.headers.get('content-length')).toBe('0');
      await api.expect(404, 'DELETE', `/v2/images/${id}`);
      await api.expect(404, 'GET', `/v2/images/${id}`);
    });

    it('does not delete a protected image', async () => {
      const { id } = await api.create({ protected: true });

      await api.expect(403, 'DELETE', `/v2/images/${id}`);
    });
  });

  describe('tags', () => {
    it('are added and removed one at a time', async () => {
      const { id } = await api.create();

      await api.expect(204, 'PUT', `/v2/images/${id}/tags/%C3%A9%20%2B`);
      await api.expect(204, 'PUT', `/v2/images/${id}/tags/%C3%A9%20%2B`);
      expect((await api.show(id))['tags']).toEqual(['é +']);
      await api.expect(204, 'DELETE', `/v2/images/${id}/tags/%C3%A9%20%2B`);
      await api.expect(404, 'DELETE', `/v2/images/${id}/tags/%C3%A9%20%2B`);
    });

    it('have a longest length and a place', async () => {
      const { id } = await api.create();

      await api.expect(204, 'PUT', `/v2/images/${id}/tags/${'x'.repeat(255)}`);
      await api.expect(400, 'PUT', `/v2/images/${id}/tags/${'x'.repeat(256)}`);
      await api.expect(400, 'PUT', `/v2/images/${id}/tags/%F0%9F%98%80`);
      await api.expect(404, 'PUT', `/v2/images/${id}/tags/a%2Fb`);
      await api.expect(404, 'PUT', `/v2/images/nonsense/tags/a`);
    });
  });

  describe('upload', () => {
    it('refuses what it can not take, and the image stays queued', async () => {
      const { id } = await api.create();
      const { id: formless } = await api.create({ disk_format: null, container_format: null });

      await api.expect(415, 'PUT', `/v2/images/${id}/file`, {
        body: 'x',
        headers: { 'content-type': 'text/plain' },
      });
      await api.expect(400, 'PUT', `/v2/images/${formless}/file`, { body: 'x', headers: OCTETS });
      await api.expect(404, 'PUT', '/v2/images/nonsense/file', { body: 'x', headers: OCTETS });
      for (const size of ['2', '-1', 'x', ''])
        await api.expect(400, 'PUT', `/v2/images/${id}/file`, {
          body: Readable.from([Buffer.from('x')]),
          headers: { ...OCTETS, 'x-openstack-image-size': size },
        });
      expect([await statusOf(id), await statusOf(formless)]).toEqual(['queued', 'queued']);
      await api.upload(id, 'x');
      await api.expect(409, 'PUT', `/v2/images/${id}/file`, { body: 'y', headers: OCTETS });
    });

    it('of nothing makes an active image of no bytes', async () => {
      const { id } = await api.create();

      await api.upload(id, '');

      expect(await api.show(id)).toMatchObject({
        status: 'active',
        size: 0,
        checksum: 'd41d8cd98f00b204e9800998ecf8427e',
      });
      const answer = await api.expect(200, 'GET', `/v2/images/${id}/file`);
      expect(answer.headers.get('content-length')).toBe('0');
    });

    it('lets a client that asks first go on only when the upload is let in', async () => {
      const { id } = await api.create();
      const headers = { expect: '100-continue', 'content-length': '5' };

      const taken = await rawUpload(fileUrl(id), { headers, body: Buffer.from('hello') });
      const refused = await rawUpload(fileUrl(id), { headers, body: Buffer.from('hello') });

      expect(taken).toEqual({ status: 204, wasContinued: true });
      expect(refused).toEqual({ status: 409, wasContinued: false });
      expect((await api.download(id)).toString()).toBe('hello');
    });

    it('goes back to queued when the client goes away, and can be repeated', async () => {
      const { id } = await api.create();

      const leaving = new AbortController();
      const broken = rawUpload(fileUrl(id), {
        headers: { 'content-length': '1000000' },
        body: Buffer.alloc(70_000),
        signal: leaving.signal,
      });
      const ended = broken.catch((error: Error) => error.name);
      await waitFor('the upload to begin', async () => (await statusOf(id)) === 'saving');

      leaving.abort();

      expect(await ended).toBe('AbortError');
      await waitFor('the image to be queued', async () => (await statusOf(id)) === 'queued');
      await api.upload(id, 'whole');
      expect((await api.download(id)).toString()).toBe('whole');
    });

    it('of two at once takes one', async () => {
      const { id } = await api.create();

      const answers = await Promise.all(
        ['a', 'b'].map((text) =>
          api.send('PUT', `/v2/images/${id}/file`, { headers: OCTETS, body: Buffer.alloc(300_000, text) }),
        ),
      );

      const [first, second] = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      expect(first).toBe(204);
      expect([409, 410]).toContain(second);
      expect(await api.show(id)).toMatchObject({ status: 'active', size: 300_000 });
    });

    it('of an image that is deleted meanwhile ends with 410', async () => {
      const { id } = await api.create();
      let goOn: () => void = () => {};
      const half = new Promise<void>((resolve) => (goOn = resolve));
      const uploading = api.send('PUT', `/v2/images/${id}/file`, {
        headers: OCTETS,
        body: Readable.from(
          (async function* () {
            yield Buffer.alloc(100_000);
            await half;
            yield Buffer.alloc(100_000);
          })(),
        ),
      });
      await waitFor('the upload to begin', async () => (await statusOf(id)) === 'saving');

      await api.delete(id);
      goOn();

      expect((await uploading).status).toBe(410);
      await api.expect(404, 'GET', `/v2/images/${id}`);
    });
  });

  describe('download', () => {
    it('of an image without data is 204 without a body, whatever the range', async () => {
      const { id } = await api.create();

      const answer = await api.expect(204, 'GET', `/v2/images/${id}/file`, {
        headers: { range: 'nonsense' },
      });

      expect(answer.headers.get('content-type')).toBeNull();
      expect(answer.headers.get('content-length')).toBeNull();
    });

    it('knows no stores to prefer where there is one', async () => {
      const { id } = await api.create();

      await api.expect(400, 'GET', `/v2/images/${id}/file?prefer=file`);
      await api.expect(204, 'GET', `/v2/images/${id}/file?prefer=`);
    });

    it('takes a range from either header', async () => {
      const { id } = await api.create();
      await api.upload(id, '0123456789');
      const part = async (headers: Record<string, string>) => {
        const answer = await api.send('GET', `/v2/images/${id}/file`, { headers });
        return [answer.status, answer.headers.get('content-range'), answer.status < 300 ? answer.text : ''];
      };

      expect(await part({ range: 'bytes=2-4' })).toEqual([206, 'bytes 2-4/10', '234']);
      expect(await part({ range: 'bytes=-3' })).toEqual([206, 'bytes 7-9/10', '789']);
      expect(await part({ range: 'bytes=-0' })).toEqual([206, 'bytes 0-9/10', '0123456789']);
      expect(await part({ 'content-range': 'bytes 2-4/10' })).toEqual([206, 'bytes 2-4/10', '234']);
      expect(await part({ range: 'bytes=10-' })).toEqual([416, null, '']);
      expect(await part({ range: 'bytes=--5' })).toEqual([416, null, '']);
      expect(await part({ range: 'bytes=0-1,4-5' })).toEqual([400, null, '']);
    });
  });
});

eachMode(
  'Several stores',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);

    it('are named where an image is created and where its data is', async () => {
      const created = await api.send('POST', '/v2/images', {
        headers: JSON_TYPE,
        body: JSON.stringify({ disk_format: 'raw', container_format: 'bare' }),
      });
      const { id } = JSON.parse(created.text) as { id: string };

      await api.expect(204, 'PUT', `/v2/images/${id}/file`, {
        headers: { ...OCTETS, 'x-image-meta-store': 'second' },
        body: 'data',
      });

      expect(created.headers.get('openstack-image-store-ids')).toBe('first,second');
      expect(await api.show(id)).toMatchObject({ status: 'active', stores: 'second' });
      expect((await api.expect(200, 'GET', `/v2/images/${id}/file?prefer=first,second`)).text).toBe('data');
      await api.expect(400, 'GET', `/v2/images/${id}/file?prefer=third`);
    });

    it('refuse data for a store that is none', async () => {
      const { id } = await api.create();

      for (const store of ['third', ''])
        await api.expect(400, 'PUT', `/v2/images/${id}/file`, {
          headers: { ...OCTETS, 'x-image-meta-store': store },
          body: 'data',
        });
      expect((await api.show(id)).status).toBe('queued');
    });

    it('make more versions', async () => {
      await api.expect(200, 'GET', '/v2.13/images');
    });
  },
  { env: { GLIMPSE_CONFIG: severalStores() } },
);

eachMode(
  'Callers that a proxy names',
  (glimpse) => {
    const as = (project: string, roles = 'member,reader') =>
      new ImageApi(() => glimpse().url, {
        'x-identity-status': 'Confirmed',
        'x-user-id': `user of ${project}`,
        'x-tenant-id': project,
        'x-roles': roles,
      });

    it('see what they may see and nothing else', async () => {
      const { id } = await as('one').create({ visibility: 'private' });

      expect((await as('one').show(id))['owner']).toBe('one');
      await as('two').expect(404, 'GET', `/v2/images/${id}`);
      await as('two').expect(404, 'DELETE', `/v2/images/${id}`);
      await as('two').expect(404, 'GET', `/v2/images/${id}/file`);
      await as('admins', 'Admin').expect(200, 'GET', `/v2/images/${id}`);
      await new ImageApi(() => glimpse().url).expect(401, 'GET', `/v2/images/${id}`);
    });

    it('do not change what is not theirs', async () => {
      const { id } = await as('admins', 'admin,member,reader').create({ visibility: 'public' });

      const two = as('two');
      await two.expect(403, 'DELETE', `/v2/images/${id}`);
      await two.expect(403, 'PUT', `/v2/images/${id}/tags/x`);
      await two.expect(403, 'PUT', `/v2/images/${id}/file`, { headers: OCTETS, body: 'x' });
      await two.expect(403, 'POST', '/v2/images', { headers: JSON_TYPE, body: '{"visibility": "public"}' });
      await two.expect(403, 'POST', '/v2/images', { headers: JSON_TYPE, body: '{"owner": "one"}' });
    });
  },
  { auth: 'headers' },
);
