import type { Snapshot } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { type RegistryUnderTest, aCaller, startRegistryOn } from '../registry-harness.conformance.js';
import { type SnapshotTools, anAddress, anOrder } from './snapshot-tools.conformance.js';

const DUPLICATES = 300;

/** The same request again, from wherever it comes. */
export function describeRepeatedSnapshots(
  { request, accepted, codeOf, claim, complete, result, showSnapshot }: SnapshotTools,
  registry: () => RegistryUnderTest,
  url: () => string,
): void {
  const rowsOf = (requestId: string) => registry().rows('snapshot_requests', `request_id = '${requestId}'`);
  const imagesNamed = (name: string) => registry().rows('images', `name = '${name}'`);

  describe('the same request again', () => {
    it('hundreds of times at once, at two registries, is one image and one answer', async () => {
      const other = await startRegistryOn(url(), {}, registry().clock);
      const order = anOrder({ name: 'once' });

      const answers = await Promise.all(
        Array.from({ length: DUPLICATES }, (_, index) =>
          request(order, { to: index % 2 === 0 ? registry() : other }),
        ),
      );

      await other.close();
      const distinct = new Set(answers.map((answer: Snapshot) => JSON.stringify(answer)));
      expect(distinct.size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 'accepted', taskId: expect.any(String) });
      expect(await imagesNamed('once')).toHaveLength(1);
      expect(await rowsOf(order.request_id)).toHaveLength(1);
      const imageId = answers[0]?.imageId ?? '';
      expect(await registry().rows('jobs', `image_id = '${imageId}'`)).toHaveLength(1);
      expect(await registry().rows('tasks', `image_id = '${imageId}'`)).toHaveLength(1);
    });

    it('is let in once where the quota has room for one', async () => {
      const ctx = { ...aCaller('p-one'), limits: { imageCountTotal: 1 } };
      const order = anOrder();

      const answers = await Promise.all(Array.from({ length: 10 }, () => request(order, { ctx })));

      expect(new Set(answers.map(({ imageId }) => imageId)).size).toBe(1);
    });

    it('tells how it stands, also when it is over', async () => {
      const { order, imageId } = await accepted();
      await complete(await claim(imageId), result(imageId, 'slow'));

      const again = await request(order);

      expect(again).toMatchObject({ status: 'completed', imageId, data: { size: 1_000 } });
    });

    it('is another one where it asks for something else', async () => {
      const { order } = await accepted();

      expect(await codeOf(request({ ...order, name: 'other' }))).toBe('SNAPSHOT_REQUEST_CONFLICT');
      expect(await codeOf(request({ ...order, properties: { a: '1' } }))).toBe('SNAPSHOT_REQUEST_CONFLICT');
    });

    it('is the same whatever is left out, in whatever order it is, and whenever the reply is to come', async () => {
      const { order, imageId } = await accepted({ properties: { a: '1', b: '2' } });

      const again = await request({
        ...order,
        properties: { b: '2', a: '1' },
        disk_format: 'raw',
        reply: 'completed',
      });

      expect(again.imageId).toBe(imageId);
    });

    it('is another one in another project, and where only the case differs', async () => {
      const { order, imageId } = await accepted({ request_id: `req-${'a'.repeat(8)}-${Math.random()}` });

      const elsewhere = await request(order, { ctx: aCaller('p2') });
      const upper = await request({ ...order, request_id: order.request_id.toUpperCase() });

      expect(new Set([imageId, elsewhere.imageId, upper.imageId]).size).toBe(3);
    });

    it('makes each of those who wait for the end hear of it, once', async () => {
      const order = anOrder({ reply: 'completed' });
      const { imageId } = await request(order, { replyTo: anAddress('1') });
      for (const id of ['2', '2', '1']) await request(order, { replyTo: anAddress(id) });
      await request({ ...order, reply: 'accepted' }, { replyTo: anAddress('3') });

      const due = await registry().snapshots.repliesDue(imageId ?? '');

      expect(due?.addresses.map(({ correlationId }) => correlationId)).toEqual(['2', '1']);
      expect(due?.snapshot).toEqual(await showSnapshot(order.request_id));
    });

    it('is forgotten when it ended long ago, and not before', async () => {
      const { order, imageId } = await accepted();
      const { order: going } = await accepted();
      await complete(await claim(imageId), result(imageId, 'slow'));
      registry().clock.pass(23 * 3_600_000);
      await registry().snapshotUpkeep.look();
      expect((await showSnapshot(order.request_id)).status).toBe('completed');

      registry().clock.pass(2 * 3_600_000);
      await registry().snapshotUpkeep.look();

      expect(await codeOf(showSnapshot(order.request_id))).toBe('SNAPSHOT_NOT_FOUND');
      expect((await showSnapshot(going.request_id)).status).toBe('accepted');
    });
  });
}
