import { existsSync, readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';
import { JSON_TYPE, V21, identity } from './callers.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const KIB = 1024;

eachMode(
  'The quotas of a project',
  (glimpse) => {
    let projects = 0;
    /** A member of a project that has nothing yet. */
    const newProject = () =>
      new ImageApi(() => glimpse().url, identity(`project-${(projects += 1)}`, 'member', 'reader'));
    const put = (api: ImageApi, id: string, body: Uint8Array | Readable) =>
      api.send('PUT', `/v2/images/${id}/file`, { headers: OCTETS, body });
    const bytes = (count: number) => Buffer.alloc(count, 'x');
    const statusesOf = (answers: { status: number }[]) =>
      answers.map(({ status }) => status).toSorted((one, other) => one - other);

    it('let as many creates at once through as there is room for, and deletion makes room', async () => {
      const api = newProject();

      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          api.send('POST', '/v2/images', { headers: JSON_TYPE, body: '{"name": "many"}' }),
        ),
      );

      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
      expect(answers.filter(({ status }) => status === 413)).toHaveLength(40);
      const [image] = await api.list();
      await api.delete(image?.id ?? '');
      await api.create();
      await api.expect(413, 'POST', '/v2/images', { headers: JSON_TYPE, body: '{}' });
    });

    it('stop an upload of unknown size where there is no room left, and leave nothing of it', async () => {
      const api = newProject();
      const first = await api.create();
      await api.upload(first.id, bytes(600 * KIB));
      const { id } = await api.create();

      const answer = await put(api, id, Readable.from(Array.from({ length: 500 }, () => bytes(KIB))));

      expect(answer.status).toBe(413);
      expect(await api.show(id)).toMatchObject({ status: 'queued', size: null });
      expect(readdirSync(glimpse().storeDir).filter((name) => name.includes(id))).toEqual([]);
      expect((await put(api, id, bytes(424 * KIB))).status).toBe(204);
      expect(existsSync(`${glimpse().storeDir}/${id}`)).toBe(true);
    });

    it.each(['known', 'unknown'])('are kept when uploads of %s size come at once', async (kind) => {
      const api = newProject();
      const images = await Promise.all(Array.from({ length: 6 }, () => api.create()));
      const body = () => (kind === 'known' ? bytes(300 * KIB) : Readable.from([bytes(300 * KIB)]));

      const answers = await Promise.all(images.map(({ id }) => put(api, id, body())));

      expect(statusesOf(answers)).toEqual([204, 204, 204, 413, 413, 413]);
      const stored = await api.list();
      expect(stored.reduce((sum, { size }) => sum + Number(size ?? 0), 0)).toBe(900 * KIB);
      expect(stored.filter(({ status }) => status === 'queued')).toHaveLength(3);
    });

    it('are what /v2/info/usage says, which has no other method', async () => {
      const api = newProject();
      const { id } = await api.create();
      await api.upload(id, bytes(1024 * KIB));

      const { text } = await api.expect(200, 'GET', '/v2/info/usage');

      expect(JSON.parse(text)).toEqual({
        usage: {
          image_count_total: { usage: 1, limit: 10 },
          image_size_total: { usage: 1, limit: 1 },
        },
      });
      await api.expect(404, 'POST', '/v2/info/usage');
      await api.expect(404, 'DELETE', '/v2/info/usage');
    });

    describe('of an image', () => {
      it('bound its members, tags and properties', async () => {
        const api = newProject();
        const { id } = await api.create({ a: '1', b: '2', tags: ['x', 'y'] });
        const share = (member: string) =>
          api.send('POST', `/v2/images/${id}/members`, {
            headers: JSON_TYPE,
            body: JSON.stringify({ member }),
          });
        const add = (path: string, value: unknown) =>
          api.send('PATCH', `/v2/images/${id}`, {
            headers: V21,
            body: JSON.stringify([{ op: 'add', path, value }]),
          });

        expect(statusesOf(await Promise.all(['p', 'q', 'r'].map(share)))).toEqual([200, 200, 413]);
        expect((await add('/c', '3')).status).toBe(413);
        expect((await add('/a', '3')).status).toBe(200);
        expect((await add('/tags', ['1', '2', '3'])).status).toBe(413);
        await api.expect(204, 'PUT', `/v2/images/${id}/tags/x`);
        await api.expect(413, 'PUT', `/v2/images/${id}/tags/z`);
      });
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_LIMITS_PROJECT_IMAGE_COUNT: '10',
      GLIMPSE_LIMITS_PROJECT_STORAGE: '1MB',
      GLIMPSE_LIMITS_MEMBER_QUOTA: '2',
      GLIMPSE_LIMITS_TAG_QUOTA: '2',
      GLIMPSE_LIMITS_PROPERTY_QUOTA: '2',
    },
  },
);
