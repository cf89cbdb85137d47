import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type ClaimedJob,
  type Snapshot,
  SnapshotOrder,
  type SnapshotReplyAddress,
} from '@glimpse/contracts';
import type { z } from 'zod';
import { importTools } from '../imports/import-tools.conformance.js';
import { type RegistryUnderTest, aCaller } from '../registry-harness.conformance.js';

export type Asked = Partial<z.input<typeof SnapshotOrder>>;

export const anOrder = (more: Asked = {}): SnapshotOrder =>
  SnapshotOrder.parse({
    request_id: randomUUID(),
    instance_id: 'server-1',
    name: 'before the upgrade',
    source: { uri: 'nbd://user:secret@compute-7:10809/vda' },
    ...more,
  });

export const anAddress = (correlationId: string): SnapshotReplyAddress => ({
  exchange: '',
  routingKey: 'replies',
  correlationId,
  form: 'plain',
});

/** What the tests of snapshots do to a registry. */
export function snapshotTools(registry: () => RegistryUnderTest) {
  const imports = importTools(registry);
  const request = (
    order: SnapshotOrder,
    {
      ctx = aCaller(),
      isTrusted = false,
      replyTo = null,
      to = registry(),
    }: {
      ctx?: Caller;
      isTrusted?: boolean;
      replyTo?: SnapshotReplyAddress | null;
      to?: RegistryUnderTest;
    } = {},
  ): Promise<Snapshot> => to.snapshots.request({ ctx, request: order, isTrusted, replyTo });
  const cancel = (requestId: string, ctx: Caller = aCaller()) =>
    registry().snapshotCancellation.cancel(ctx, requestId);
  const show = (requestId: string, ctx: Caller = aCaller()) =>
    registry().snapshots.show(ctx, { kind: 'request', requestId });
  /** Its snapshot, and the id of the image. */
  const accepted = async (more: Asked = {}) => {
    const order = anOrder(more);
    const snapshot = await request(order);
    return { order, snapshot, imageId: snapshot.imageId ?? '' };
  };
  const eventsOf = async (imageId: string) =>
    (await registry().rows('outbox', `subject = '${imageId}' ORDER BY id`))
      .filter(({ name }) => name.startsWith('snapshot.'))
      .map(({ name, payload }): { name: string; payload: Record<string, unknown> } => ({
        name,
        payload: JSON.parse(payload),
      }));
  const statusOf = async (imageId: string) =>
    (await registry().rows('images', `id = '${imageId}'`)).map(({ status, deleted }) => ({
      status,
      deleted,
    }));
  const fail = ({ id: jobId, leaseToken }: ClaimedJob, isRetryable = false) =>
    registry().jobs.fail({
      jobId,
      leaseToken,
      error: { code: 'TRANSFER_ABORTED', message: 'the source went away' },
      isRetryable,
    });
  return { ...imports, request, cancel, showSnapshot: show, accepted, eventsOf, statusOf, fail };
}
export type SnapshotTools = ReturnType<typeof snapshotTools>;
