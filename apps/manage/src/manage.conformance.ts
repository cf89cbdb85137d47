import { type Flag, toDatabaseTime } from '@glimpse/persistence';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type MakePlace, databaseUnderTest } from './database-under-test.conformance.js';
import { listJobs, retryJob } from './commands/jobs.js';
import { listSnapshots, showSnapshots } from './commands/snapshots.js';
import { listCopies, requestVerification } from './commands/verify.js';
import { listDeliveries, listWebhooks, retryDeliveries } from './commands/webhooks.js';
import { purgeChildren, purgeImages } from './purge.js';
import { restoreImage } from './restore-image.js';

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const LIMITS = { olderThanDays: 30, maxRows: -1 };

/** What the operator's command does to a database. */
export function describeManage(name: string, makePlace: MakePlace): void {
  describe(`managing ${name}`, () => {
    const database = databaseUnderTest(makePlace);

    const lifetime = (deleted: Flag, daysAgo: number | null) => ({
      created_at: toDatabaseTime(0),
      updated_at: toDatabaseTime(0),
      deleted,
      deleted_at: daysAgo === null ? null : toDatabaseTime(NOW - daysAgo * DAY_MS),
    });
    const addImage = (id: string, deleted: Flag, daysAgo: number | null) =>
      database().unitOfWork.run(async (tx) => {
        await tx.insert('images', [
          {
            id,
            status: deleted ? 'deleted' : 'active',
            visibility: 'private',
            min_disk: 0,
            min_ram: 0,
            protected: 0,
            os_hidden: 0,
            ...lifetime(deleted, daysAgo),
          },
        ]);
        await tx.insert('image_tags', [{ image_id: id, value: 't', ...lifetime(deleted, daysAgo) }]);
      });
    const addJob = (id: string, status: string, imageId: string) =>
      database().unitOfWork.run((tx) =>
        tx.insert('jobs', [
          {
            id,
            kind: 'delete-data',
            status,
            image_id: imageId,
            payload: '{}',
            attempt: 7,
            due_at: NOW,
            last_error: '{"code":"STORE_FULL","message":"no"}',
            created_at: 0,
            updated_at: 1,
          },
        ]),
      );
    const idsOf = async (table: string) =>
      (await database().query<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id);

    it('lists requests for snapshots, the last changed first, and shows what became of one', async () => {
      const request = (id: string, project: string, status: string, changedAt: number) => ({
        project_id: project,
        request_id: id,
        image_id: `image-${id}`,
        status,
        error: status === 'failed' ? '{"code":"STORE_FULL","message":"no"}' : null,
        created_at: 0,
        updated_at: changedAt,
      });
      await database().unitOfWork.run((tx) =>
        tx.insert('snapshot_requests', [
          request('r1', 'p1', 'completed', 1),
          request('r2', 'p2', 'failed', 3),
          request('r3', 'p2', 'accepted', 2),
        ]),
      );

      const idsIn = async (filter: object) =>
        (await listSnapshots(database(), { limit: 9, ...filter })).map(({ request: id }) => id);
      expect(await idsIn({})).toEqual(['r2', 'r3', 'r1']);
      expect(await idsIn({ status: 'failed' })).toEqual(['r2']);
      expect(await idsIn({ project: 'p2', limit: 1 })).toEqual(['r2']);
      expect(await showSnapshots(database(), 'image-r2')).toMatchObject([
        { request: 'r2', project: 'p2', status: 'failed', error: 'STORE_FULL: no' },
      ]);
      await expect(showSnapshots(database(), 'r9')).rejects.toThrow('no request');
    });

    it('lists webhooks and their messages, and sends again what failed', async () => {
      const webhook = (id: string, isEnabled: Flag) => ({
        id,
        project_id: 'p1',
        url: 'https://hooks.example.org/secret',
        host: 'hooks.example.org',
        event_types: '["image.*"]',
        secret: 'whsec_hidden',
        is_enabled: isEnabled,
        served_at: 0,
        created_at: 0,
        updated_at: 0,
      });
      const delivery = (id: string, webhookId: string, status: string) => ({
        id,
        webhook_id: webhookId,
        event_id: `event-${id}`,
        type: 'image.created',
        subject: 'i',
        payload: '{}',
        status,
        attempt: 9,
        due_at: 1,
        created_at: 0,
        ended_at: 1,
      });
      await database().unitOfWork.run(async (tx) => {
        await tx.insert('webhooks', [webhook('on', 1), webhook('off', 0)]);
        await tx.insert('webhook_deliveries', [
          delivery('a', 'on', 'failed'),
          delivery('b', 'on', 'delivered'),
          delivery('c', 'off', 'failed'),
        ]);
      });

      const listed = await listWebhooks(database(), { limit: 10, project: 'p1' });
      expect(listed).toMatchObject([
        { id: 'on', state: 'enabled', failed: 1, waiting: 0 },
        { id: 'off', state: 'disabled (switched off)', failed: 1 },
      ]);
      expect(JSON.stringify(listed)).not.toMatch(/secret|whsec/);
      expect(await retryDeliveries(database(), { ids: ['a', 'b', 'c'] })).toBe(1);
      expect(await retryDeliveries(database(), { webhook: 'off' })).toBe(0);
      expect(await listDeliveries(database(), { limit: 10, webhook: 'on' })).toMatchObject([
        { id: 'b', status: 'delivered' },
        { id: 'a', status: 'waiting', attempts: 0 },
      ]);
    });

    it('purges what hangs on images that were deleted long ago, and no image', async () => {
      await addImage('old', 1, 31);
      await addImage('recent', 1, 29);
      await addImage('live', 0, null);
      await addJob('done', 'done', 'old');
      await addJob('failed', 'failed', 'old');

      const purged = await purgeChildren(database(), LIMITS, NOW);

      expect(purged).toMatchObject({ image_tags: 1, image_properties: 0, jobs: 1 });
      expect(await idsOf('image_tags')).toHaveLength(2);
      expect(await idsOf('images')).toEqual(['live', 'old', 'recent']);
      expect(await idsOf('jobs')).toEqual(['failed']);
    });

    it('spares a row that was revived, although it has a time of deletion', async () => {
      await addImage('live', 0, 400);

      await purgeChildren(database(), LIMITS, NOW);

      expect(await idsOf('image_tags')).toHaveLength(1);
    });

    it('purges no more rows of a table than it may', async () => {
      for (const id of ['a', 'b', 'c']) await addImage(id, 1, 99);

      const purged = await purgeChildren(database(), { ...LIMITS, maxRows: 2 }, NOW);

      expect(purged).toMatchObject({ image_tags: 2 });
      expect(await idsOf('image_tags')).toHaveLength(1);
    });

    it('purges tasks with their texts', async () => {
      await database().unitOfWork.run(async (tx) => {
        const time = toDatabaseTime(NOW - 99 * DAY_MS);
        await tx.execute(
          `INSERT INTO tasks (id, type, status, owner, created_at, deleted_at, deleted)
           VALUES ('t1', 'import', 'success', 'p', ?, ?, 1), ('t2', 'import', 'success', 'p', ?, ?, 0)`,
          [time, time, time, time],
        );
        await tx.execute("INSERT INTO task_info (task_id, input) VALUES ('t1', '{}'), ('t2', '{}')");
      });

      const purged = await purgeChildren(database(), LIMITS, NOW);

      expect(purged).toMatchObject({ task_info: 1, tasks: 1 });
      expect(await idsOf('tasks')).toEqual(['t2']);
    });

    it('purges images in a step of its own, all that are old enough or none', async () => {
      await addImage('old', 1, 31);
      await addImage('older', 1, 99);
      await addImage('live', 0, null);

      await expect(purgeImages(database(), LIMITS, NOW)).rejects.toThrow('image_tags still has rows');
      expect(await idsOf('images')).toHaveLength(3);
      await purgeChildren(database(), LIMITS, NOW);
      await addJob('pending', 'queued', 'old');
      await expect(purgeImages(database(), LIMITS, NOW)).rejects.toThrow('job pending of an image');
      await addJob('other', 'queued', 'live');
      await database().unitOfWork.run((tx) =>
        tx.execute("UPDATE jobs SET status = 'done' WHERE id = 'pending'"),
      );

      expect(await purgeImages(database(), LIMITS, NOW)).toBe(2);
      expect(await idsOf('images')).toEqual(['live']);
    });

    it('restores an image that waits for its removal, with what it had when it was deleted', async () => {
      await addImage('kept', 1, 2);
      await addImage('gone', 1, 2);
      await database().unitOfWork.run(async (tx) => {
        await tx.execute("UPDATE images SET status = 'pending_delete' WHERE id = 'kept'");
        await tx.insert('image_tags', [{ image_id: 'kept', value: 'before', ...lifetime(1, 3) }]);
        await tx.insert('image_locations', [
          {
            image_id: 'kept',
            value: 'file:///kept',
            meta_data: '{}',
            status: 'pending_delete',
            ...lifetime(1, 2),
          },
        ]);
      });

      await restoreImage(database(), 'kept', { isDeactivated: false }, NOW);

      const [image] = await database().query(
        "SELECT status, deleted, deleted_at FROM images WHERE id = 'kept'",
      );
      expect(image).toEqual({ status: 'active', deleted: 0, deleted_at: null });
      expect(
        await database().query("SELECT value FROM image_tags WHERE image_id = 'kept' AND deleted = 0"),
      ).toEqual([{ value: 't' }]);
      expect(await database().query('SELECT status, deleted, deleted_at FROM image_locations')).toEqual([
        { status: 'active', deleted: 0, deleted_at: null },
      ]);
      for (const id of ['gone', 'kept'])
        await expect(restoreImage(database(), id, { isDeactivated: true }, NOW)).rejects.toThrow(
          'only images that are pending_delete',
        );
      await expect(restoreImage(database(), 'absent', { isDeactivated: false }, NOW)).rejects.toThrow(
        'there is no image absent',
      );
    });

    it('retries jobs that failed, and no others', async () => {
      for (const status of ['failed', 'running', 'done']) await addJob(status, status, 'i');

      await retryJob(database(), 'failed');

      const jobs = await listJobs(database(), { limit: 10, kind: 'delete-data' });
      expect(jobs).toMatchObject([
        { id: 'failed', status: 'queued', attempt: 0, error: 'STORE_FULL: no' },
        { attempt: 7 },
        { attempt: 7 },
      ]);
      expect(await listJobs(database(), { limit: 10, status: 'done' })).toHaveLength(1);
      await expect(retryJob(database(), 'running')).rejects.toThrow('job running is running');
      await expect(retryJob(database(), 'absent')).rejects.toThrow('there is no job absent');
    });

    describe('verify', () => {
      const addLocation = (imageId: string, store: string | undefined) =>
        database().unitOfWork.run((tx) =>
          tx.insert('image_locations', [
            {
              image_id: imageId,
              value: `file:///x/${imageId}`,
              meta_data: store === undefined ? '{}' : JSON.stringify({ store }),
              status: 'active',
              ...lifetime(0, null),
            },
          ]),
        );
      beforeEach(async () => {
        for (const id of ['i1', 'i2', 'i3']) await addImage(id, 0, null);
        await addLocation('i1', 'fast');
        await addLocation('i2', undefined);
        await addLocation('i3', 'slow');
      });
      const requested = async () =>
        (
          await database().query<{ image_id: string }>(
            'SELECT image_id FROM location_checks WHERE requested_at IS NOT NULL ORDER BY image_id',
          )
        ).map(({ image_id: id }) => id);

      it('asks for one image, those of a store, or all', async () => {
        expect(await requestVerification(database(), { imageId: 'i1' }, 'slow')).toBe(1);
        expect(await requested()).toEqual(['i1']);
        expect(await requestVerification(database(), { storeId: 'slow' }, 'slow')).toBe(2);
        expect(await requestVerification(database(), {}, 'slow')).toBe(3);
        expect(await requestVerification(database(), { imageId: 'none' }, 'slow')).toBe(0);
        expect(await requested()).toEqual(['i1', 'i2', 'i3']);
      });

      it('lists what is out of service, or what is known of an image', async () => {
        await requestVerification(database(), {}, 'slow', NOW);
        await database().unitOfWork.run((tx) =>
          tx.execute(
            "UPDATE location_checks SET state = 'damaged', damaged_at = 5, checked_at = 7, reason = 'why' WHERE image_id = 'i2'",
          ),
        );

        const out = await listCopies(database(), { limit: 10 }, 'slow');
        const ofOne = await listCopies(database(), { imageId: 'i1', limit: 10 }, 'slow');

        expect(out).toEqual([
          expect.objectContaining({
            image: 'i2',
            store: 'slow',
            state: 'damaged',
            in_service: 'no',
            reason: 'why',
          }),
        ]);
        expect(ofOne).toEqual([expect.objectContaining({ image: 'i1', store: 'fast', state: 'unverified' })]);
      });
    });
  });
}
