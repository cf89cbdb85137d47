import { expect, it } from '@jest/globals';
import { type ImageApi, eachMode } from '@glimpse/testing';
import { JSON_TYPE, V21, callers } from './callers.js';

eachMode(
  'The ETag of an image',
  (glimpse) => {
    const { owner: api, consumer } = callers(() => glimpse().url);
    const path = (id: string) => `/v2/images/${id}`;
    const rename = (id: string, name: string, headers: Record<string, string> = {}) =>
      api.send('PATCH', path(id), {
        headers: { ...V21, ...headers },
        body: JSON.stringify([{ op: 'add', path: '/name', value: name }]),
      });
    const etagOf = async (id: string, by: ImageApi = api) => {
      const etag = (await by.expect(200, 'GET', path(id))).headers.get('etag');
      if (etag === null) throw new Error('The image has no ETag');
      return etag;
    };

    it('comes with the image wherever it is answered, and changes with it', async () => {
      const created = await api.expect(201, 'POST', '/v2/images', { headers: JSON_TYPE, body: '{"a": "b"}' });
      const { id } = JSON.parse(created.text) as { id: string };
      const first = await etagOf(id);
      const changed = await rename(id, 'new');
      const second = await etagOf(id);

      expect(first).toMatch(/^"[\w-]+"$/);
      expect(created.headers.get('etag')).toBe(first);
      expect(changed.headers.get('etag')).toBe(second);
      expect(second).not.toBe(first);
      await api.expect(204, 'PUT', `${path(id)}/tags/x`);
      expect(await etagOf(id)).not.toBe(second);
    });

    it('saves sending what the client has', async () => {
      const { id } = await api.create();
      const etag = await etagOf(id);
      const show = (tags: string) => api.send('GET', path(id), { headers: { 'if-none-match': tags } });

      const answer = await show(etag);

      expect(answer.status).toBe(304);
      expect(answer.text).toBe('');
      expect(answer.headers.get('etag')).toBe(etag);
      expect(answer.headers.get('content-type')).toBeNull();
      expect(answer.headers.get('x-openstack-request-id')).toMatch(/^req-/);
      expect((await show(`"other", W/${etag}`)).status).toBe(304);
      expect((await show('*')).status).toBe(304);
      expect((await show('"other"')).status).toBe(200);
      await rename(id, 'new');
      expect((await show(etag)).status).toBe(200);
    });

    it.each([
      ['the one', (etag: string) => etag, 200],
      ['one of several', (etag: string) => `"other", ${etag}`, 200],
      ['any', () => '*', 200],
      ['another', () => '"other"', 412],
      ['a weak one', (etag: string) => `W/${etag}`, 412],
      ['none that is one', () => 'nonsense', 412],
    ])('lets a change through that expects %s', async (_, expected, status) => {
      const { id } = await api.create();

      const answer = await rename(id, 'new', { 'if-match': expected(await etagOf(id)) });

      expect(answer.status).toBe(status);
      expect((await api.show(id))['name']).toBe(status === 200 ? 'new' : 'test');
    });

    it('lets one of two changes through that expect the same', async () => {
      const { id } = await api.create();
      const headers = { 'if-match': await etagOf(id) };

      const answers = await Promise.all([rename(id, 'one', headers), rename(id, 'two', headers)]);

      expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 412]);
    });

    it('guards tags, deletion and reading as well', async () => {
      const { id } = await api.create();
      const stale = { headers: { 'if-match': await etagOf(id) } };
      await rename(id, 'new');

      await api.expect(412, 'PUT', `${path(id)}/tags/x`, stale);
      await api.expect(412, 'DELETE', path(id), stale);
      await api.expect(412, 'GET', path(id), stale);
      await api.expect(412, 'PATCH', path(id), { headers: { ...V21, ...stale.headers }, body: '[]' });
      const current = { headers: { 'if-match': await etagOf(id) } };
      await api.expect(204, 'DELETE', path(id), current);
      await api.expect(404, 'DELETE', path(id), current);
    });

    it('is not looked at before the permission is', async () => {
      const { id } = await api.create({ visibility: 'community' });
      const stale = { headers: { 'if-match': '"other"' } };

      await consumer.expect(403, 'DELETE', path(id), stale);
    });
  },
  { auth: 'headers' },
);
