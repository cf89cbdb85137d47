import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ImageApi, aQcow2Image, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, identity } from './callers.js';
import { severalStores } from './several-stores.js';
import { webData } from './web-data.js';

const several = severalStores();
const { web } = webData();
beforeAll(() => {
  web().serve('data', aQcow2Image());
});
afterAll(() => several.remove());

type Task = Readonly<Record<string, unknown>> & { id: string; status: string };
type Page = { tasks: Task[]; first: string; next?: string; schema: string };

eachMode(
  'Tasks',
  (glimpse) => {
    const admin = new ImageApi(() => glimpse().url, identity('admin', 'admin', 'member', 'reader'));
    const member = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));

    const post = (body: unknown, caller = admin) =>
      caller.send('POST', '/v2/tasks', { headers: JSON_TYPE, body: JSON.stringify(body) });
    const list = async (query = ''): Promise<Page> =>
      JSON.parse((await admin.expect(200, 'GET', `/v2/tasks?${query}`)).text) as Page;
    const ofImage = async (id: string, caller = member): Promise<Task[]> =>
      (JSON.parse((await caller.expect(200, 'GET', `/v2/images/${id}/tasks`)).text) as Page).tasks;
    /** An image whose location was registered. */
    async function withTask(): Promise<{ imageId: string; task: Task }> {
      const { id: imageId } = await member.create();
      await member.expect(202, 'POST', `/v2/images/${imageId}/locations`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ url: web().urlOf('data') }),
      });
      const task = await waitFor('the task', async () => {
        const [found] = await ofImage(imageId);
        return found?.status === 'success' ? found : undefined;
      });
      return { imageId, task };
    }

    it('of an image are shown as the database has them', async () => {
      const { imageId, task } = await withTask();

      expect(task).toEqual({
        id: expect.any(String),
        type: 'location_import',
        status: 'success',
        owner: 'p1',
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/),
        created_at: expect.stringMatching(/\.000000$/),
        updated_at: expect.stringMatching(/\.000000$/),
        deleted_at: null,
        deleted: false,
        image_id: imageId,
        request_id: expect.stringMatching(/^req-/),
        user_id: 'user-of-p1',
        input: { image_id: imageId, loc_url: web().urlOf('data'), validation_data: {} },
        result: { image_id: imageId },
        message: '',
      });
      expect(await ofImage(imageId, admin)).toEqual([task]);
      expect((await member.send('GET', '/v2/images/nothing/tasks')).status).toBe(404);
      for (const method of ['PUT', 'POST', 'DELETE'])
        expect((await member.send(method, `/v2/images/${imageId}/tasks`)).status).toBe(404);
    });

    it('are shown to administrators', async () => {
      const { task } = await withTask();

      const shown = JSON.parse((await admin.expect(200, 'GET', `/v2/tasks/${task.id}`)).text) as Task;

      expect(shown).toMatchObject({
        id: task.id,
        type: 'location_import',
        status: 'success',
        message: '',
        self: `/v2/tasks/${task.id}`,
        schema: '/v2/schemas/task',
        expires_at: expect.stringMatching(/Z$/),
      });
      for (const path of ['/v2/tasks', `/v2/tasks/${task.id}`])
        expect((await member.send('GET', path)).status).toBe(403);
      expect((await post({ type: 'import', input: {} }, member)).status).toBe(403);
      for (const id of [randomUUID(), 'nothing', 'x'.repeat(300)])
        expect((await admin.send('GET', `/v2/tasks/${id}`)).status).toBe(404);
      const removal = await admin.send('DELETE', `/v2/tasks/${task.id}`);
      expect([removal.status, removal.headers.get('allow')]).toEqual([405, 'GET']);
    });

    it('are listed in pages, newest first or as they are asked for', async () => {
      for (let n = 0; n < 5; n += 1) await post({ type: 'api_image_import', input: { n } });
      const all = await list('limit=100');
      const { next } = await list('limit=2');

      const walked: string[] = [];
      let query: string | undefined = 'limit=2&sort_key=id&sort_dir=asc';
      while (query !== undefined) {
        const page: Page = await list(query);
        walked.push(...page.tasks.map(({ id }) => id));
        query = page.next?.split('?')[1];
      }

      expect(all.schema).toBe('/v2/schemas/tasks');
      expect(all.first).toBe('/v2/tasks?limit=100');
      expect(next).toMatch(/^\/v2\/tasks\?limit=2&marker=/);
      expect(walked).toEqual(all.tasks.map(({ id }) => id).toSorted());
      expect(all.tasks[0]).not.toHaveProperty('input');
      expect(all.tasks[0]).not.toHaveProperty('message');
      for (const key of ['expires_at', 'image_id', 'deleted', 'deleted_at'])
        expect((await list(`limit=100&sort_key=${key}`)).tasks).toHaveLength(all.tasks.length);
    });

    it('are filtered', async () => {
      const { task } = await withTask();

      expect((await list(`owner=p1&image_id=${String(task['image_id'])}`)).tasks.map(({ id }) => id)).toEqual(
        [task.id],
      );
      expect((await list('status=processing')).tasks).toEqual([]);
      expect((await list('type=import')).tasks).toEqual([]);
      expect((await list('nonsense=1&limit=1')).tasks).toHaveLength(1);
      expect((await list('limit=0')).tasks).toEqual([]);
    });

    it.each([
      'limit=x',
      'limit=-1',
      'sort_key=input',
      'sort_dir=up',
      'marker=nothing',
      `marker=${randomUUID()}`,
      'status=done',
      'type=api_image_import',
    ])('are not listed by %s', async (query) => {
      expect((await admin.send('GET', `/v2/tasks?${query}`)).status).toBe(400);
    });

    it('of other calls are accepted here, and then fail', async () => {
      const answer = await post({ type: 'location_import', input: { a: 1 }, status: 'success', owner: 'me' });

      expect(answer.status).toBe(201);
      const task = JSON.parse(answer.text) as Task;
      expect(answer.headers.get('location')).toBe(`${glimpse().url}/v2/tasks/${task.id}`);
      expect(task).toMatchObject({ status: 'failure', owner: 'admin', input: { a: 1 }, result: null });
      expect(task['message']).toContain('location_import');
    });

    it.each<[number, unknown]>([
      [400, { input: {} }],
      [400, { type: 'import' }],
      [400, { type: 'export', input: {} }],
      [400, { type: 'import', input: {}, more: 1 }],
      [400, []],
      [400, { type: 'import', input: {} }],
      [400, { type: 'import', input: imported('') }],
      [400, { type: 'import', input: imported('file:///etc/passwd') }],
      [400, { type: 'import', input: imported('swift://x') }],
      [400, { type: 'import', input: imported('http://2130706433/x') }],
    ])('answers %i to %j', async (status, body) => {
      expect((await post(body)).status).toBe(status);
    });

    it('import an image, which is gone again where its data can not be had', async () => {
      const ended = async (uri: string) => {
        const { status, text } = await post({ type: 'import', input: imported(uri) });
        expect(status).toBe(201);
        const { id } = JSON.parse(text) as { id: string };
        return waitFor('the end of the task', async () => {
          const task = JSON.parse((await admin.expect(200, 'GET', `/v2/tasks/${id}`)).text) as Task;
          return task['status'] === 'success' || task['status'] === 'failure' ? task : undefined;
        });
      };

      const done = await ended(web().urlOf('data'));
      const failed = await ended('http://no-such-host.invalid/x');

      expect(done).toMatchObject({ status: 'success', result: { image_id: done['image_id'] } });
      expect(await admin.show(String(done['image_id']))).toMatchObject({
        status: 'active',
        disk_format: 'qcow2',
      });
      expect(failed).toMatchObject({ status: 'failure' });
      expect((await admin.send('GET', `/v2/images/${String(failed['image_id'])}`)).status).toBe(404);
    });

    it('have schemas', async () => {
      const schema = async (name: string) =>
        JSON.parse((await member.expect(200, 'GET', `/v2/schemas/${name}`)).text) as {
          name: string;
          properties: Record<string, { type?: unknown; enum?: unknown; items?: unknown }>;
        };
      const task = await schema('task');
      const tasks = await schema('tasks');

      expect(Object.keys(task)).toEqual(['name', 'properties']);
      expect(task.properties['input']).toMatchObject({ type: ['null', 'object'] });
      expect(task.properties['expires_at']).toMatchObject({ type: ['null', 'string'] });
      expect(task.properties['type']?.enum).toEqual(['import', 'api_image_import', 'location_import']);
      expect(Object.keys(tasks.properties)).toEqual(['tasks', 'schema']);
      expect(tasks.properties['tasks']?.items).not.toHaveProperty('properties.input');
    });
  },
  {
    auth: 'headers',
    env: {
      ...several.env,
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    },
  },
);

function imported(uri: string) {
  return { import_from: uri, import_from_format: 'qcow2', image_properties: {} };
}
