import { PassThrough } from 'node:stream';
import { afterEach, expect, it } from '@jest/globals';
import { EventReader, type HttpAnswer, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, callers, identity } from './callers.js';
import { webData } from './web-data.js';

const MIB = 1_048_576;
/** What a stopping service gives to requests that go on. */
const GRACE_MS = 6_000;
const OCTETS = { 'content-type': 'application/octet-stream' };
const owner = identity('owner', 'member', 'reader');
const stranger = identity('stranger', 'member', 'reader');
const admin = identity('admin', 'admin', 'member', 'reader');

eachMode(
  'Progress',
  (glimpse) => {
    const { web, publish } = webData();
    const people = callers(() => glimpse().url);
    const api = people.owner;
    const opened: EventReader[] = [];
    afterEach(() => {
      for (const reader of opened.splice(0)) reader.close();
    });

    const open = async (path: string, who: Record<string, string> = owner, headers = {}) => {
      const reader = await EventReader.open(`${glimpse().url}${path}`, { ...who, ...headers });
      opened.push(reader);
      return reader;
    };
    const openOn = (id: string, who?: Record<string, string>, headers?: object) =>
      open(`/v2/images/${id}/progress`, who, headers);
    /** An upload whose bytes come when the test writes them. */
    const beginUpload = (id: string, what: 'file' | 'stage' = 'file', headers = {}) => {
      const body = new PassThrough();
      const answer = api.send('PUT', `/v2/images/${id}/${what}`, {
        headers: { ...OCTETS, ...headers },
        body,
      });
      return { body, answer: answer.catch(() => undefined as HttpAnswer | undefined) };
    };
    const download = (id: string, uri: string) =>
      api.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name: 'web-download', uri } }),
      });
    const bytesOf = (reader: EventReader, least: number) =>
      reader.expect('progress', ({ bytes_done: done }) => Number(done) >= least);

    it('of an upload is shown as it comes, up to its end', async () => {
      const { id } = await api.create();
      const reader = await openOn(id);
      expect(reader.status).toBe(200);
      expect(reader.response.headers.get('content-type')).toBe('text/event-stream');
      const { body, answer } = beginUpload(id);
      body.write(Buffer.alloc(2 * MIB));

      expect(await bytesOf(reader, 2 * MIB)).toMatchObject({
        type: 'upload',
        image_id: id,
        phase: 'receiving',
        bytes_total: null,
        attempt: 1,
        last_error: null,
      });
      body.write(Buffer.alloc(MIB));
      await bytesOf(reader, 3 * MIB);
      await reader.expect('progress', ({ bytes_per_second: rate }) => Number(rate) > 0);
      body.end();

      expect((await answer)?.status).toBe(204);
      await reader.end();
      expect(reader.dataOf('progress').at(-1)).toMatchObject({ phase: 'done', bytes_done: 3 * MIB });
      expect(reader.events.at(-1)).toMatchObject({
        event: 'end',
        id: 'end',
        data: { reason: 'finished', image_id: id, status: 'active' },
      });
      // Who has seen the end is not to come again.
      const again = await openOn(id, owner, { 'last-event-id': 'end' });
      expect(again.status).toBe(204);
    });

    it('of an upload that breaks off says so, and ends', async () => {
      const { id } = await api.create();
      const reader = await openOn(id);
      const { body } = beginUpload(id);
      body.write(Buffer.alloc(MIB));
      await reader.expect('progress', ({ phase }) => phase === 'receiving');

      body.destroy();

      await reader.end();
      expect(reader.dataOf('progress').at(-1)).toMatchObject({
        phase: 'failed',
        last_error: expect.any(String),
      });
      expect(reader.dataOf('end')).toEqual([{ reason: 'finished', image_id: id, status: 'queued' }]);
    });

    it('of staged data goes on with its import', async () => {
      const { id } = await api.create();
      const reader = await openOn(id);
      const { body, answer } = beginUpload(id, 'stage');
      body.end(Buffer.alloc(MIB));
      expect((await answer)?.status).toBe(204);
      expect(await reader.expect('progress', ({ phase }) => phase === 'done')).toMatchObject({
        type: 'stage',
      });

      await api.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name: 'glance-direct' } }),
      });

      await reader.end();
      expect(reader.dataOf('end')).toEqual([{ reason: 'finished', image_id: id, status: 'active' }]);
      expect(reader.dataOf('progress')).toContainEqual(
        expect.objectContaining({ type: 'import', phase: 'done', attempt: 1 }),
      );
    });

    it('of an import is shown in its task and in its stream', async () => {
      const { name, url } = publish(4 * MIB);
      const release = web().hold(name);
      const { id } = await api.create();
      const reader = await openOn(id);

      await download(id, url);

      const shown = await bytesOf(reader, 2 * MIB - 1);
      expect(shown).toMatchObject({ type: 'import', phase: 'downloading', bytes_total: 4 * MIB });
      const tasks = async () => {
        const { text } = await api.expect(200, 'GET', `/v2/images/${id}/tasks`);
        return (JSON.parse(text) as { tasks: Record<string, unknown>[] }).tasks;
      };
      const task = await waitFor('the task to tell it', async () =>
        (await tasks()).find(({ message }) =>
          String(message).startsWith('Downloading: 2.0 of 4.0 MiB (50 %)'),
        ),
      );
      expect(task).toMatchObject({ id: shown['task_id'], progress: { phase: 'downloading', attempt: 1 } });
      const { text } = await people.admin.expect(200, 'GET', `/v2/tasks/${String(task['id'])}`);
      expect(JSON.parse(text)).toMatchObject({ progress: { bytes_total: 4 * MIB } });

      release();
      await reader.end();
      expect(reader.dataOf('progress').find(({ phase }) => phase === 'done')).toMatchObject({
        type: 'import',
        bytes_done: 4 * MIB,
      });
      expect(reader.dataOf('end')[0]).toMatchObject({ status: 'active' });
      expect((await tasks())[0]).not.toHaveProperty('progress');
    });

    it('of an import that fails says why', async () => {
      const { id } = await api.create();
      const reader = await openOn(id);

      await download(id, web().urlOf('nothing'));

      await reader.end();
      expect(reader.dataOf('progress').at(-1)).toMatchObject({
        type: 'import',
        phase: 'failed',
        last_error: expect.stringMatching(/404/),
      });
      expect(reader.dataOf('end')[0]).toMatchObject({ status: 'queued' });
    });

    it('is the business of who may see the image, and of all images that of their project', async () => {
      const { id } = await api.create();
      const { body, answer } = beginUpload(id, 'file', { 'x-openstack-image-size': String(2 * MIB) });
      body.write(Buffer.alloc(MIB));
      expect((await openOn(id, stranger)).status).toBe(404);
      expect((await openOn('no-such-image')).status).toBe(404);
      expect((await openOn(id, {})).status).toBe(401);
      const [own, theirs, all] = [
        await open('/v2/progress'),
        await open('/v2/progress', stranger),
        await open('/v2/progress', admin),
      ];

      for (const reader of [own, all])
        expect(
          await reader.expect('progress', ({ image_id: of, bytes_done: done }) => of === id && done === MIB),
        ).toMatchObject({ bytes_total: 2 * MIB, phase: 'receiving' });
      const { text } = await api.expect(200, 'GET', '/v2/progress', {
        headers: { accept: 'application/json' },
      });
      expect(JSON.parse(text)).toHaveProperty(
        'transfers',
        expect.arrayContaining([expect.objectContaining({ image_id: id })]),
      );
      body.end(Buffer.alloc(MIB));
      expect((await answer)?.status).toBe(204);
      await all.expect('progress', ({ image_id: of, phase }) => of === id && phase === 'done');
      expect(theirs.status).toBe(200);
      expect(theirs.events).toEqual([]);
      expect(all.isEnded).toBe(false);
    });

    it('of an image ends when the image is deleted', async () => {
      const { id } = await api.create();
      const reader = await openOn(id);
      const { body } = beginUpload(id);
      body.write(Buffer.alloc(MIB));
      await reader.expect('progress');

      await api.delete(id);
      body.destroy();

      await reader.end();
      expect(reader.dataOf('end')[0]).toMatchObject({ reason: 'not_found' });
    });

    it('is shown in no more streams than a caller may have', async () => {
      const { id } = await api.create();
      const readers = [await openOn(id), await openOn(id), await openOn(id), await openOn(id)];
      expect(readers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);

      const refused = await openOn(id);
      expect(refused.status).toBe(429);
      expect(refused.response.headers.get('retry-after')).toBe('10');
      expect((await openOn((await people.stranger.create()).id, stranger)).status).toBe(200);

      readers[0]?.close();
      await waitFor('a place', async () => (await openOn(id)).status === 200);
    });

    it('is what a stream ends with at once when the service stops', async () => {
      const reader = await open('/v2/progress', admin);
      expect(reader.status).toBe(200);
      const started = performance.now();

      const gone = glimpse().kill('api-gateway', 'SIGTERM');

      await reader.end();
      expect(performance.now() - started).toBeLessThan(GRACE_MS / 2);
      await gone;
      await glimpse().start('api-gateway');
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_PROGRESS_STREAMS_PER_CALLER: '4',
      GLIMPSE_SHUTDOWN_GRACE_MS: String(GRACE_MS),
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    },
  },
);
