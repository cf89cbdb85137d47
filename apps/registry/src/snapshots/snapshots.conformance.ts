import { randomUUID } from 'node:crypto';
import { jobPayloadOf } from '@glimpse/contracts';
import { Policy } from '@glimpse/policy';
import { describe, expect, it } from '@jest/globals';
import { type RegistryUnderTest, aCaller, anAdmin } from '../registry-harness.conformance.js';
import { describeSnapshotCosts } from './snapshot-costs.conformance.js';
import { describeSnapshotEnds } from './snapshot-ends.conformance.js';
import { describeRepeatedSnapshots } from './snapshot-repeats.conformance.js';
import { anOrder, snapshotTools } from './snapshot-tools.conformance.js';

/** What describeSnapshots wants of the configuration. */
export const snapshotsEnvironment = {
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: '/nonexistent/fast' },
    slow: { type: 'file', datadir: '/nonexistent/slow' },
  }),
  GLIMPSE_DEFAULT_STORE: 'slow',
  GLIMPSE_IMPORT_MAX_ATTEMPTS: '2',
  GLIMPSE_LIMITS_PROJECT_STORAGE: '100000000',
  GLIMPSE_SNAPSHOTS_RETENTION_HOURS: '24',
  GLIMPSE_SNAPSHOTS_ALLOWED_SCHEMES: 'nbd,file',
};

/** What the registry makes of the requests of compute. */
export function describeSnapshots(registry: () => RegistryUnderTest, url: () => string): void {
  const tools = snapshotTools(registry);
  const { request, accepted, codeOf, claim, taskOf, eventsOf, active } = tools;

  describe('a request', () => {
    describeSnapshotCosts(tools, registry);

    it("becomes an image with Nova's properties, and an import", async () => {
      const ctx = { ...aCaller(), userId: 'ada' };
      const order = anOrder({
        source: { uri: 'nbd://user:secret@compute-7:10809/vda?signature=secret' },
        disk_format: 'qcow2',
        compressed: true,
        base_image_ref: 'base',
        min_disk: 5,
        tags: ['nightly'],
        stores: ['fast'],
        properties: {
          hw_model: 'q35',
          instance_uuid: 'inherited',
          image_state: 'inherited',
          img_signature: 'of other data',
          os_glance_import_task: 'x',
          cache_in_nova: 'True',
          kernel_id: '',
        },
      });

      const snapshot = await request(order, { ctx });

      expect(snapshot).toMatchObject({ status: 'accepted', projectId: 'p1', error: null, data: null });
      const { imageId, taskId } = snapshot;
      const image = await tools.show(imageId ?? '');
      expect(image).toMatchObject({
        name: order.name,
        status: 'importing',
        owner: 'p1',
        visibility: 'private',
        diskFormat: 'qcow2',
        containerFormat: 'bare',
        minDisk: 5,
        tags: ['nightly'],
      });
      const { os_glance_import_task, os_glance_importing_to_stores, os_glance_failed_import, ...properties } =
        image.properties;
      expect([os_glance_import_task, os_glance_importing_to_stores, os_glance_failed_import]).toEqual([
        taskId,
        'fast',
        '',
      ]);
      expect(properties).toEqual({
        hw_model: 'q35',
        instance_uuid: 'server-1',
        user_id: 'ada',
        image_type: 'snapshot',
        base_image_ref: 'base',
        image_location: 'snapshot',
        image_state: 'available',
        owner_id: 'p1',
      });
      expect(jobPayloadOf('import', (await claim(imageId ?? '')).payload)).toMatchObject({
        taskId,
        source: { kind: 'snapshot', uri: order.source.uri, format: 'raw', connections: 4, incremental: null },
        storeIds: ['fast'],
        diskFormat: 'raw',
        steps: [{ name: 'convert', diskFormat: 'qcow2', compressed: true }],
      });
      expect(JSON.stringify(await taskOf(imageId ?? ''))).not.toContain('secret');
      expect(await eventsOf(imageId ?? '')).toMatchObject([
        {
          name: 'snapshot.accepted',
          payload: {
            request_id: order.request_id,
            instance_id: 'server-1',
            image_id: imageId,
            task_id: taskId,
          },
        },
      ]);
    });

    it.each<[string, string, Parameters<typeof anOrder>[0]]>([
      ['a scheme that is not allowed', 'REQUEST_INVALID', { source: { uri: 'http://example.org/disk' } }],
      ['what is no URI', 'REQUEST_INVALID', { source: { uri: 'somewhere' } }],
      ['a URI with blanks before it', 'REQUEST_INVALID', { source: { uri: ' nbd://me:secret@h/x' } }],
      [
        'a URI that is written in another way',
        'REQUEST_INVALID',
        { source: { uri: 'nbd:///me:secret@h/x' } },
      ],
      ['a format that is unknown', 'REQUEST_INVALID', { source: { uri: 'nbd://h/x', format: 'floppy' } }],
      ['a disk_format that is unknown', 'REQUEST_INVALID', { disk_format: 'floppy' }],
      ['a container_format that is unknown', 'IMAGE_INVALID', { container_format: 'crate' }],
      ['compression of raw', 'REQUEST_INVALID', { compressed: true }],
      ['a backup_type of a snapshot', 'REQUEST_INVALID', { backup_type: 'daily' }],
      ['a store that is unknown', 'STORE_NOT_CONFIGURED', { stores: ['x'] }],
      ['a reserved property', 'PROPERTY_FORBIDDEN', { properties: { deleted: '1' } }],
      ['a public image', 'ACTION_FORBIDDEN', { visibility: 'public' }],
      [
        'changes over a file',
        'REQUEST_INVALID',
        { source: { uri: 'file:///srv/a', incremental: { parent_image_id: 'i', dirty_bitmap: 'b' } } },
      ],
      [
        'a parent that is not there',
        'IMAGE_NOT_FOUND',
        { source: { uri: 'nbd://h/x', incremental: { parent_image_id: randomUUID(), dirty_bitmap: 'b' } } },
      ],
    ])('is refused for %s, and leaves nothing', async (_what, code, more) => {
      const order = anOrder(more);

      expect(await codeOf(request(order))).toBe(code);
      expect(await codeOf(tools.showSnapshot(order.request_id))).toBe('SNAPSHOT_NOT_FOUND');
    });

    it.each(['rbd:pool/disk', 'rbd:pool/disk@snapshot', 'RBD://pool/disk', 'rbd://fsid/pool/disk/snapshot'])(
      'is refused for %s, since disks are not read from RBD',
      async (uri) => {
        await expect(request(anOrder({ source: { uri } }))).rejects.toMatchObject({
          code: 'REQUEST_INVALID',
          message: expect.stringContaining('no rbd driver is configured'),
        });
      },
    );

    it('is refused to those who may not create images, and to those without a project', async () => {
      expect(await codeOf(request(anOrder(), { ctx: aCaller('p1', 'reader') }))).toBe('ACTION_FORBIDDEN');
      expect(await codeOf(request(anOrder(), { ctx: aCaller(null) }))).toBe('REQUEST_INVALID');
    });

    it('is refused to those whom the rule of the operator leaves out', async () => {
      const order = anOrder();
      registry().policy.use(
        new Policy([{ name: 'add_snapshot', text: '!', expression: { kind: 'never' }, source: 'test:1' }]),
      );

      const codes = [await codeOf(request(order)), await codeOf(tools.cancel(order.request_id))];
      registry().policy.use(new Policy());

      expect(codes).toEqual(['ACTION_FORBIDDEN', 'ACTION_FORBIDDEN']);
      await expect(request(order)).resolves.toMatchObject({ status: 'accepted' });
    });

    it('reads what changed since an image that the caller may read', async () => {
      const parent = await active();
      const source = (id: string) => ({
        uri: 'nbd+unix:///vda?socket=/run/x',
        incremental: { parent_image_id: id, dirty_bitmap: 'since' },
      });
      const schemes = anOrder({ source: { ...source(parent), uri: 'nbd://compute-7/vda' } });

      const { imageId } = await request(schemes);

      expect(jobPayloadOf('import', (await claim(imageId ?? '')).payload).source).toMatchObject({
        incremental: {
          dirtyBitmap: 'since',
          parent: { imageId: parent, diskFormat: 'raw', locations: [{ metadata: { store: 'slow' } }] },
        },
      });
      const queued = await tools.create();
      const ofQueued = anOrder({ source: { ...source(queued.id), uri: 'nbd://h/vda' } });
      expect(await codeOf(request(ofQueued))).toBe('IMAGE_STATUS_CONFLICT');
      const foreign = anOrder({ source: { ...source(parent), uri: 'nbd://h/vda' } });
      expect(await codeOf(request(foreign, { ctx: aCaller('p2') }))).toBe('IMAGE_NOT_FOUND');
    });

    it('counts towards the quotas of its project', async () => {
      const ctx = { ...aCaller('p-limited'), limits: { imageCountTotal: 1 } };

      await request(anOrder(), { ctx });

      expect(await codeOf(request(anOrder(), { ctx }))).toBe('QUOTA_EXCEEDED');
    });

    it('is shown to its project, and by its image to admins', async () => {
      const { order, imageId } = await accepted();

      expect(await tools.showSnapshot(order.request_id)).toMatchObject({ imageId, status: 'accepted' });
      expect(await codeOf(tools.showSnapshot(order.request_id, aCaller('p2')))).toBe('SNAPSHOT_NOT_FOUND');
      const byImage = (ctx = aCaller()) => registry().snapshots.show(ctx, { kind: 'image', imageId });
      expect(await byImage(anAdmin())).toMatchObject({ requestId: order.request_id });
      expect(await codeOf(byImage(aCaller('p2')))).toBe('SNAPSHOT_NOT_FOUND');
    });
  });

  describeRepeatedSnapshots(tools, registry, url);
  describeSnapshotEnds(tools, registry, url);
}
