import { randomUUID } from 'node:crypto';
import type { ClaimedJob } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { describe, expect, it, jest } from '@jest/globals';
import { aRequest, copy } from '../imports/import-tools.conformance.js';
import {
  type RegistryUnderTest,
  aCaller,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';
import { type SnapshotTools, anOrder } from './snapshot-tools.conformance.js';

const names = (events: readonly { readonly name: string }[]) => events.map(({ name }) => name);

/** How snapshots end, and how somebody ends them. */
export function describeSnapshotEnds(
  tools: SnapshotTools,
  registry: () => RegistryUnderTest,
  url: () => string,
): void {
  const { request, cancel, accepted, codeOf, claim, complete, result, failure, fail } = tools;
  const { eventsOf, statusOf, showSnapshot, removals, taskOf } = tools;
  const taskStatus = async (imageId: string) =>
    (await registry().rows('tasks', `image_id = '${imageId}'`)).map(({ status }) => status);

  describe('the end of a snapshot', () => {
    it('is an active image, which is announced after it', async () => {
      const { order, imageId } = await accepted();

      await complete(await claim(imageId), result(imageId, 'slow'));

      expect(await showSnapshot(order.request_id)).toMatchObject({
        status: 'completed',
        error: null,
        data: { size: 1_000, osHashAlgo: 'sha512' },
      });
      const [job] = await registry().rows('jobs', `image_id = '${imageId}'`);
      expect(job?.payload).not.toContain('secret');
      const events = await eventsOf(imageId);
      expect(names(events)).toEqual(['snapshot.accepted', 'snapshot.completed']);
      expect(events[1]?.payload).toMatchObject({ size: 1_000, virtual_size: 2_000, stores: ['slow'] });
      const all = names(await registry().rows('outbox', `subject = '${imageId}' ORDER BY id`));
      expect(all.indexOf('image.activated')).toBeLessThan(all.indexOf('snapshot.completed'));
    });

    it('that no store took is no image, and says why', async () => {
      const { order, imageId } = await accepted({ protected: true });

      await complete(await claim(imageId), failure('slow'));

      expect(await showSnapshot(order.request_id)).toMatchObject({
        status: 'failed',
        imageId,
        error: { code: 'TRANSFER_ABORTED', message: 'slow: disk on fire' },
      });
      expect(await statusOf(imageId)).toEqual([{ status: 'deleted', deleted: 1 }]);
      expect(names(await eventsOf(imageId))).toEqual(['snapshot.accepted', 'snapshot.failed']);
      expect(await taskStatus(imageId)).toEqual(['failure']);
    });

    it('comes when what the attempts left is removed, where all of them failed', async () => {
      const { order, imageId } = await accepted();

      await fail(await claim(imageId), true);
      registry().clock.pass(60_000);
      await fail(await claim(imageId), true);
      expect((await showSnapshot(order.request_id)).status).toBe('accepted');
      await complete(await claim(imageId, 'delete-data'));

      expect(await showSnapshot(order.request_id)).toMatchObject({
        status: 'failed',
        error: { code: 'TRANSFER_ABORTED', message: 'the source went away' },
      });
      expect(await statusOf(imageId)).toEqual([{ status: 'deleted', deleted: 1 }]);
    });

    it('for data that is larger than the quota is a failure for that reason', async () => {
      const { order, imageId } = await accepted();
      const stored = result(imageId, 'slow');

      const data = stored.data === null ? null : { ...stored.data, size: 200_000_000 };
      await complete(await claim(imageId), { ...stored, data });
      await complete(await claim(imageId, 'delete-data'));

      expect(await showSnapshot(order.request_id)).toMatchObject({
        status: 'failed',
        error: { code: 'QUOTA_EXCEEDED' },
      });
    });

    it('is told once: whoever deletes the image later changes nothing of it', async () => {
      const { order, imageId } = await accepted();
      await complete(await claim(imageId), result(imageId, 'slow'));

      await registry().images.delete(aCaller(), imageId);

      expect((await showSnapshot(order.request_id)).status).toBe('completed');
      expect(names(await eventsOf(imageId))).toEqual(['snapshot.accepted', 'snapshot.completed']);
    });

    it('is a cancellation where its image is deleted', async () => {
      const { order, imageId } = await accepted();

      await registry().images.delete(aCaller(), imageId);

      expect(await showSnapshot(order.request_id)).toMatchObject({
        status: 'cancelled',
        error: { code: 'SNAPSHOT_CANCELLED', message: 'The image was deleted.' },
      });
      expect(names(await eventsOf(imageId))).toEqual(['snapshot.accepted', 'snapshot.cancelled']);
    });

    it('is preceded by its progress, for those who listen', async () => {
      const { order, imageId } = await accepted();
      const { id: jobId, leaseToken } = await claim(imageId);
      const progress = { phase: 'downloading', bytesDone: 5, bytesTotal: 10, bytesPerSecond: 2 };

      await registry().jobs.heartbeat({ jobId, leaseToken, progress });

      const told = await waitFor('what was read to be announced', () =>
        registry().live.announced.find(
          ({ name, subject, payload }) =>
            name === 'snapshot.progress' &&
            subject === imageId &&
            (payload as Record<string, unknown>)['bytes_done'] === 5,
        ),
      );
      expect(told.payload).toEqual({
        request_id: order.request_id,
        project_id: 'p1',
        instance_id: 'server-1',
        image_id: imageId,
        task_id: expect.any(String),
        phase: 'downloading',
        bytes_done: 5,
        bytes_total: 10,
        bytes_per_second: 2,
        attempt: 1,
      });
    });

    it('has no more progress, whatever is done to its image later, and whichever registry saw the end', async () => {
      const { imageId } = await accepted();
      const { live, jobs } = registry();
      /** By a count of bytes that is nobody else's. */
      const isAnnounced = (event: string, bytesDone: number) =>
        live.announced.some(
          ({ name, payload }) => name === event && JSON.stringify(payload).includes(`:${bytesDone},`),
        );
      const tell = async ({ id: jobId, leaseToken }: ClaimedJob, bytesDone: number) => {
        const progress = { phase: 'downloading', bytesDone, bytesTotal: 1_000_000, bytesPerSecond: 3 };
        await jobs.heartbeat({ jobId, leaseToken, progress });
        await waitFor('the progress', () => isAnnounced('transfer.progressed', bytesDone));
      };
      const job = await claim(imageId);
      await tell(job, 700_001);
      await waitFor('that of the snapshot', () => isAnnounced('snapshot.progress', 700_001));
      const other = await startRegistryOn(url(), {}, registry().clock);
      await other.jobs.complete({
        jobId: job.id,
        leaseToken: job.leaseToken,
        result: result(imageId, 'slow'),
      });
      await other.close();
      await tools.begin(imageId, aRequest(copy, { stores: ['fast'] }), anAdmin());
      const later = await claim(imageId);

      for (const bytesDone of [700_002, 700_003]) await tell(later, bytesDone);

      expect(isAnnounced('snapshot.progress', 700_002)).toBe(false);
    });

    it('is asked for once, however often its progress is told', async () => {
      const { imageId } = await accepted();
      const { id: jobId, leaseToken } = await claim(imageId);
      const asked = jest.spyOn(registry().database, 'query');
      const told = () =>
        registry().live.announced.filter(
          ({ name, subject }) => name === 'snapshot.progress' && subject === imageId,
        ).length;

      for (const bytesDone of [1, 2, 3]) {
        const before = told();
        const progress = { phase: 'downloading', bytesDone, bytesTotal: 10, bytesPerSecond: 2 };
        await registry().jobs.heartbeat({ jobId, leaseToken, progress });
        await waitFor('the progress to be announced', () => told() > before);
      }

      const questions = asked.mock.calls.filter(
        ([sql, values]) => sql.includes('FROM snapshot_requests') && values?.includes(imageId) === true,
      );
      asked.mockRestore();
      expect(questions.length).toBeLessThanOrEqual(1);
    });
  });

  describe('a cancellation', () => {
    it('before its job was claimed leaves nothing', async () => {
      const { order, imageId } = await accepted({ protected: true });

      const answer = await cancel(order.request_id);

      expect(answer).toMatchObject({ status: 'cancelled', imageId, error: { code: 'SNAPSHOT_CANCELLED' } });
      expect(await statusOf(imageId)).toEqual([{ status: 'deleted', deleted: 1 }]);
      expect(await taskStatus(imageId)).toEqual(['failure']);
      await expect(claim(imageId)).rejects.toThrow('no job');
      expect(names(await eventsOf(imageId))).toEqual(['snapshot.accepted', 'snapshot.cancelled']);
      expect(await cancel(order.request_id)).toEqual(answer);
      expect(await request(order)).toEqual(answer);
    });

    it('while it runs ends it, and what was written is removed', async () => {
      const { order, imageId } = await accepted();
      const job = await claim(imageId);

      await cancel(order.request_id);

      const heartbeat = { jobId: job.id, leaseToken: job.leaseToken, progress: null };
      expect(await registry().jobs.heartbeat(heartbeat)).toEqual({ outcome: 'lost' });
      expect(await complete(job, result(imageId, 'slow'))).toEqual({ outcome: 'lost' });
      expect(await removals(imageId)).toMatchObject([
        { leftovers: [{ storeId: 'slow' }, { storeId: 'slow' }] },
      ]);
      expect((await showSnapshot(order.request_id)).status).toBe('cancelled');
    });

    it('while its leftovers are removed stands', async () => {
      const { order, imageId } = await accepted();
      await fail(await claim(imageId));

      await cancel(order.request_id);
      await complete(await claim(imageId, 'delete-data'));

      expect(await showSnapshot(order.request_id)).toMatchObject({ status: 'cancelled' });
      expect(await statusOf(imageId)).toEqual([{ status: 'deleted', deleted: 1 }]);
      expect(await taskStatus(imageId)).toEqual(['failure']);
    });

    it('after the end answers how it ended', async () => {
      const { order, imageId } = await accepted();
      await complete(await claim(imageId), result(imageId, 'slow'));

      expect(await cancel(order.request_id)).toMatchObject({ status: 'completed', imageId });
      expect((await taskOf(imageId))?.status).toBe('success');
    });

    it('that overtakes its request forbids it', async () => {
      const order = anOrder();
      const answer = await cancel(order.request_id);

      expect(answer).toMatchObject({ status: 'cancelled', imageId: null });
      expect(await cancel(order.request_id)).toEqual(answer);
      expect(await request(order)).toEqual(answer);
    });

    it('at the same time as its request, or its end, makes one thing of it', async () => {
      const orders = Array.from({ length: 20 }, () => anOrder({ name: 'raced' }));

      await Promise.all(orders.flatMap((order) => [request(order), cancel(order.request_id)]));

      const snapshots = await Promise.all(orders.map((order) => showSnapshot(order.request_id)));
      expect(new Set(snapshots.map(({ status }) => status))).toEqual(new Set(['cancelled']));
      expect(await registry().rows('images', "name = 'raced' AND deleted = 0")).toEqual([]);

      const { order, imageId } = await accepted();
      const job = await claim(imageId);
      await Promise.all([complete(job, result(imageId, 'slow')), cancel(order.request_id)]);
      const { status } = await showSnapshot(order.request_id);
      const events = names(await eventsOf(imageId));
      expect(events).toEqual(['snapshot.accepted', `snapshot.${status}`]);
      expect(await statusOf(imageId)).toMatchObject([
        { status: status === 'completed' ? 'active' : 'deleted' },
      ]);
    });

    it('is not for other projects, nor for those who may not delete', async () => {
      const { order, imageId } = await accepted();

      expect(await cancel(order.request_id, aCaller('p2'))).toMatchObject({ imageId: null });
      expect(await codeOf(cancel(order.request_id, aCaller('p1', 'reader')))).toBe('ACTION_FORBIDDEN');
      expect(await codeOf(cancel(randomUUID(), aCaller('p1', 'reader')))).toBe('ACTION_FORBIDDEN');
      expect((await showSnapshot(order.request_id)).imageId).toBe(imageId);
    });
  });
}
