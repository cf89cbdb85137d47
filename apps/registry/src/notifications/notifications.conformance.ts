import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  aRequest,
  copy,
  direct,
  download,
  importTools,
  outage,
} from '../imports/import-tools.conformance.js';
import { importsEnvironment } from '../imports/imports.conformance.js';
import { type RegistryUnderTest, aCaller, anAdmin, storedAt } from '../registry-harness.conformance.js';
import { toldAbout } from './told-about.conformance.js';

export const notificationsEnvironment: NodeJS.ProcessEnv = {
  ...importsEnvironment,
  GLIMPSE_NOTIFICATIONS_DRIVER: 'log',
};

type Payload = Record<string, unknown> & { properties: Record<string, string> };

/** What others are notified of, in the sequences of Glance. */
export function describeNotifications(registry: () => RegistryUnderTest): void {
  const { create, staged, active, begin, claim, complete, result, failure } = importTools(registry);

  /** The notifications on the image so far, each with its status. */
  const rowsOf = (id: string) => registry().rows('notifications', `subject = '${id}' ORDER BY id`);
  const payloadOf = (text: string) => JSON.parse(text) as Payload;
  const toldOf = async (id: string, from = 0) => (await toldAbout(registry(), id)).slice(from);
  const count = async (id: string) => (await rowsOf(id)).length;
  const payloadsOf = async (id: string, type: string) =>
    (await rowsOf(id)).filter((row) => row.event_type === type).map((row) => payloadOf(row.payload));
  const upload = async (id: string) => {
    const about = { ctx: aCaller(), id, uploadId: randomUUID() };
    await registry().data.beginUpload({ ...about, instanceId: 'gateway', storeId: 'slow', size: 3 });
    return about;
  };

  describe('of images', () => {
    it('tell of what is created and uploaded', async () => {
      const { id } = await create({ tags: ['a'], properties: { k: 'v' } });
      const about = await upload(id);
      await registry().data.beginUpload({ ...about, instanceId: 'gateway', storeId: 'slow', size: 3 });
      await registry().data.commitUpload({ ...about, stored: storedAt('file:///x') });

      expect(await toldOf(id)).toEqual([
        'image.create queued',
        'image.update saving',
        'image.prepare saving',
        'image.upload active',
        'image.activate active',
        'image.update active',
      ]);
      const [created] = await payloadsOf(id, 'image.create');
      expect(created).toEqual({
        id,
        name: 'web',
        status: 'queued',
        created_at: '2026-01-02T03:04:05Z',
        updated_at: '2026-01-02T03:04:05Z',
        min_disk: 0,
        min_ram: 0,
        protected: false,
        checksum: null,
        owner: 'p1',
        disk_format: 'raw',
        container_format: 'bare',
        size: null,
        virtual_size: null,
        is_public: false,
        visibility: 'shared',
        properties: { k: 'v' },
        tags: ['a'],
        deleted: false,
        deleted_at: null,
      });
      const [prepared] = await payloadsOf(id, 'image.prepare');
      expect(Object.keys(prepared ?? {}).slice(-3)).toEqual([
        'os_glance_importing_to_stores',
        'os_glance_failed_import',
        'backend',
      ]);
      expect(prepared).toMatchObject({ os_glance_importing_to_stores: [], backend: 'slow', size: null });
      expect((await payloadsOf(id, 'image.upload'))[0]).toMatchObject({ size: 3, checksum: 'c'.repeat(32) });
      expect((await payloadsOf(id, 'image.upload'))[0]).not.toHaveProperty('backend');
    });

    it('tell of an upload that failed, with its reason', async () => {
      const { id } = await create();
      const about = await upload(id);
      await registry().data.abortUpload({ ...about, reason: 'no room', code: 'STORE_FULL' });
      await registry().data.abortUpload({ ...about, reason: 'no room', code: 'STORE_FULL' });

      expect(await toldOf(id, 1)).toEqual([
        'image.update saving',
        'image.prepare saving',
        'image.upload ERROR',
        'image.update queued',
      ]);
      expect((await payloadsOf(id, 'image.upload'))[0]).toBe('Image storage media is full: no room');
    });

    it('tell of an upload whose image was deleted meanwhile', async () => {
      const { id } = await create();
      const about = await upload(id);
      await registry().images.delete(aCaller(), id);
      await registry().data.abortUpload({ ...about, reason: 'gone' });

      expect(await toldOf(id, 3)).toEqual(['image.delete deleted', 'image.upload ERROR']);
    });

    it('tell of what is staged', async () => {
      expect(await toldOf(await staged(), 1)).toEqual(['image.update uploading', 'image.update uploading']);
    });

    it('tell of changes, but not of none', async () => {
      const id = await active();
      const from = await count(id);
      await registry().tags.add(aCaller(), id, 'one');
      await registry().images.update(aCaller(), id, []);
      await registry().actions.deactivate(anAdmin(), id);
      await registry().actions.deactivate(anAdmin(), id);
      await registry().actions.reactivate(anAdmin(), id);
      await registry().images.delete(aCaller(), id);

      expect(await toldOf(id, from)).toEqual([
        'image.update active',
        'image.update deactivated',
        'image.update active',
        'image.delete deleted',
      ]);
      expect((await payloadsOf(id, 'image.delete'))[0]).toMatchObject({
        deleted: true,
        deleted_at: '2026-01-02T03:04:05Z',
        size: 1000,
        tags: ['one'],
      });
    });

    it('tell of members', async () => {
      const { id } = await create();
      await registry().members.add(aCaller(), id, 'p2');
      await registry().members.setStatus(aCaller('p2'), id, 'p2', 'accepted');
      await registry().members.remove(aCaller(), id, 'p2');

      expect(await toldOf(id, 1)).toEqual([
        'image.member.create pending',
        'image.member.update accepted',
        'image.member.delete accepted',
      ]);
    });
  });

  describe('of imports', () => {
    const began = ['task.create pending', 'task.processing processing', 'image.update importing'];

    it('tell of data that was staged', async () => {
      const id = await staged();
      const from = await count(id);
      await begin(id, aRequest(direct, { stores: ['slow', 'fast'] }));
      await complete(await claim(id), result(id, 'slow', 'fast'));

      expect(await toldOf(id, from)).toEqual([
        ...began,
        'image.prepare importing',
        'image.upload importing',
        'image.update importing',
        'image.prepare importing',
        'image.upload active',
        'image.activate active',
        'image.update active',
        'image.update active',
        'task.success success',
        'task.run pending',
      ]);
      const lists = (await payloadsOf(id, 'image.prepare')).map((payload) => [
        payload['backend'],
        payload['os_glance_importing_to_stores'],
      ]);
      expect(lists).toEqual([
        ['slow', ['fast', 'slow']],
        ['fast', ['fast']],
      ]);
      const updates = (await payloadsOf(id, 'image.update')).map(({ properties }) => properties);
      expect(updates[2]).toMatchObject({ os_glance_importing_to_stores: 'fast,slow' });
      expect(updates[2]).toHaveProperty('os_glance_import_task');
      expect(updates.at(-1)).not.toHaveProperty('os_glance_import_task');
      const [task] = await payloadsOf(id, 'task.create');
      expect(task).toMatchObject({ type: 'api_image_import', result: null, message: null, deleted: false });
      expect(task).toHaveProperty('expires_at', task?.['created_at']);
    });

    it('tell of stores that failed', async () => {
      const id = await staged();
      await begin(id, aRequest(direct, { stores: ['slow', 'fast'], allStoresMustSucceed: false }));
      const from = (await count(id)) + 2;
      const done = { ...result(id, 'slow'), failed: [{ storeId: 'fast', reason: 'on fire' }] };
      await complete(await claim(id), done);

      expect(await toldOf(id, from)).toEqual([
        'image.prepare importing',
        'image.upload active',
        'image.activate active',
        'image.update active',
        'image.prepare active',
        'image.upload ERROR',
        'image.update active',
        'image.update active',
        'task.success success',
        'task.run pending',
      ]);
    });

    it('tell of one that failed', async () => {
      const id = await staged();
      const from = await count(id);
      await begin(id, aRequest(direct, { stores: ['slow'] }));
      await complete(await claim(id), failure('slow'));

      expect(await toldOf(id, from)).toEqual([
        ...began,
        'image.prepare importing',
        'image.upload ERROR',
        'image.update queued',
        'task.failure failure',
      ]);
    });

    it('tell of a download that failed', async () => {
      const { id } = await create();
      await begin(id, aRequest(download(), { stores: ['slow'] }));
      const { id: jobId, leaseToken } = await claim(id);
      await registry().jobs.fail({ jobId, leaseToken, error: outage, isRetryable: false });
      await complete(await claim(id, 'delete-data'));

      expect(await toldOf(id, 1)).toEqual([
        ...began,
        'image.update queued',
        'task.failure failure',
        'task.run pending',
      ]);
    });

    it('tell of copies', async () => {
      const id = await active();
      const from = await count(id);
      await begin(id, aRequest(copy, { stores: ['fast'] }), anAdmin());
      await complete(await claim(id), result(id, 'fast'));

      expect(await toldOf(id, from)).toEqual([
        'task.create pending',
        'task.processing processing',
        'image.update active',
        'image.update active',
        'image.prepare active',
        'image.upload active',
        'image.update active',
        'image.update active',
        'task.success success',
        'task.run pending',
      ]);
    });

    it('tell of images that tasks make', async () => {
      const made = async () => {
        const input = {
          import_from: 'http://example.org/d',
          import_from_format: 'raw',
          image_properties: {},
        };
        const { imageId } = await registry().tasks.create(anAdmin(), {
          type: 'import',
          input,
          image: { diskFormat: 'raw', containerFormat: 'bare' },
        });
        return imageId ?? '';
      };
      const good = await made();
      await complete(await claim(good), result(good, 'slow'));
      const bad = await made();
      const { id: jobId, leaseToken } = await claim(bad);
      await registry().jobs.fail({ jobId, leaseToken, error: outage, isRetryable: false });
      await complete(await claim(bad, 'delete-data'));

      const beginning = [
        'task.create pending',
        'task.processing processing',
        'image.create queued',
        'image.update importing',
      ];
      expect(await toldOf(good)).toEqual([
        ...beginning,
        'image.prepare importing',
        'image.upload active',
        'image.activate active',
        'image.update active',
        'image.update active',
        'task.success success',
        'task.run pending',
      ]);
      expect(await toldOf(bad)).toEqual([
        ...beginning,
        'image.update queued',
        'image.delete deleted',
        'task.failure failure',
        'task.run pending',
      ]);
    });
  });

  it('tell of a namespace and what is created with it, in the order of Glance', async () => {
    const name = `ns-${randomUUID()}`;
    await registry().metadefs.namespaces.create(
      anAdmin(),
      {
        namespace: name,
        displayName: null,
        description: null,
        visibility: 'private',
        protected: false,
      },
      {
        associations: [{ name: 'OS::Nova::Flavor', prefix: null, propertiesTarget: null }],
        objects: [{ name: 'o', description: null, required: [], properties: {} }],
        properties: { p: { type: 'integer', title: 'P', minimum: 0 } },
        tags: ['t'],
      },
    );
    await registry().metadefs.namespaces.delete(anAdmin(), name);

    const rows = await rowsOf(name);
    expect(rows.map((row) => row.event_type)).toEqual([
      'metadef_namespace.create',
      'metadef_resource_type.create',
      'metadef_object.create',
      'metadef_tag.create',
      'metadef_property.create',
      'metadef_namespace.delete',
    ]);
    expect(payloadOf(rows[4]?.payload ?? '')).toMatchObject({ namespace: name, name: 'p', minimum: 0 });
  });
}
