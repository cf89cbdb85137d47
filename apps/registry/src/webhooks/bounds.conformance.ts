import { randomUUID } from 'node:crypto';
import type { Caller, NewWebhook } from '@glimpse/contracts';
import { renderMetrics } from '@glimpse/observability';
import { beforeEach, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  startRegistryOn,
} from '../registry-harness.conformance.js';
import { aWebhook, tellWebhooks } from './webhooks.conformance.js';

export const boundsEnvironment = {
  GLIMPSE_AUDIT_EVENTS: 'false',
  GLIMPSE_WEBHOOKS_RETRY_SECONDS: '5,300',
  GLIMPSE_WEBHOOKS_PER_HOST: '3',
  GLIMPSE_WEBHOOKS_PER_PROJECT: '5',
  GLIMPSE_WEBHOOKS_MAX_WAITING: '10',
  GLIMPSE_WEBHOOKS_MAX_WAITING_FOREIGN: '4',
};

/** That nobody gets more of webhooks than is theirs, and that nothing that goes wrong with one reaches others. */
export function describeBounds(registry: () => RegistryUnderTest, url: () => string): void {
  let ctx: Caller;
  beforeEach(async () => {
    ctx = aCaller(`bounds-${randomUUID()}`);
    await registry().database.unitOfWork.run(async (tx) => {
      for (const table of ['webhook_events', 'webhook_deliveries', 'webhooks'])
        await tx.execute(`DELETE FROM ${table}`);
    });
  });

  const listen = async (more: Partial<NewWebhook> = {}, caller = ctx) =>
    (await registry().webhooks.create(caller, aWebhook({ url: `https://${randomUUID()}.example/`, ...more })))
      .webhook;
  const createImage = (caller = ctx) => registry().images.create(caller, aNewImage({ visibility: 'shared' }));
  const tell = () => tellWebhooks(registry());
  const waitingFor = (id: string) => registry().rows('webhook_deliveries', `webhook_id = '${id}'`);
  const counted = async (line: string) =>
    Number(
      (await renderMetrics()).body
        .split('\n')
        .find((text) => text.startsWith(`${line} `))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  const projectOf = ({ projectId }: Caller) => projectId ?? '';
  /** Shares the image and takes that back, which is two events. */
  const annoy = async (annoyer: Caller, imageId: string, times: number) => {
    for (let time = 0; time < times; time += 1) {
      await registry().members.add(annoyer, imageId, projectOf(ctx));
      await registry().members.remove(annoyer, imageId, projectOf(ctx));
    }
  };

  it('have one test wait at a time, and it is sent once', async () => {
    const { id } = await listen({ eventTypes: ['task.*'] });
    const { all, claims, outcomes } = registry().webhookDeliveries;

    const asked = await Promise.allSettled([all.test(ctx, id), all.test(ctx, id), all.test(ctx, id)]);

    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await waitingFor(id)).toHaveLength(1);
    const [sent] = await claims.claim('worker-1', 16);
    await expect(all.test(ctx, id)).rejects.toMatchObject({
      code: 'WEBHOOK_CONFLICT',
      message: expect.stringContaining(`delivery ${sent?.id}`),
    });
    await outcomes.finish(sent?.id ?? '', sent?.leaseToken ?? '', { status: 500 });
    expect(await waitingFor(id)).toMatchObject([{ status: 'failed', attempt: 1, last_status: 500 }]);
    await all.test(ctx, id);
    expect(await waitingFor(id)).toHaveLength(2);
  });

  it('are not filled by another project that shares and unshares', async () => {
    const { id } = await listen();
    const annoyer = aCaller(`annoyer-${randomUUID()}`);
    const image = await createImage(annoyer);
    const before = await counted('glimpse_webhook_dropped_total{reason="foreign"}');

    await annoy(annoyer, image.id, 4);
    await tell();
    await annoy(annoyer, image.id, 4);
    await tell();

    expect(await waitingFor(id)).toHaveLength(4);
    expect(await counted('glimpse_webhook_dropped_total{reason="foreign"}')).toBe(before + 12);
    const neighbour = aCaller(`neighbour-${randomUUID()}`);
    await registry().members.add(neighbour, (await createImage(neighbour)).id, projectOf(ctx));
    const own = await createImage();
    await tell();
    expect((await waitingFor(id)).slice(4)).toMatchObject([
      { type: 'image.member.created', source_project: neighbour.projectId },
      { type: 'image.created', subject: own.id, source_project: null },
    ]);
  });

  it('are not disabled by what any number of other projects do', async () => {
    const { id } = await listen();
    for (let count = 0; count < 4; count += 1) {
      const annoyer = aCaller(`annoyer-${randomUUID()}`);
      await annoy(annoyer, (await createImage(annoyer)).id, 2);
    }
    await tell();

    expect(await waitingFor(id)).toHaveLength(16);
    for (let count = 0; count < 10; count += 1) await createImage();
    await tell();
    expect(await registry().webhooks.get(ctx, id)).toMatchObject({ isEnabled: true });
    await createImage();
    await tell();
    expect(await registry().webhooks.get(ctx, id)).toMatchObject({ disabledReason: 'overflow' });
  });

  it('count what members answer as theirs, and what the owner does as its own', async () => {
    const { id } = await listen();
    const member = aCaller(`member-${randomUUID()}`);
    const image = await createImage();
    await registry().members.add(ctx, image.id, projectOf(member));
    for (let count = 0; count < 6; count += 1)
      await registry().members.setStatus(member, image.id, projectOf(member), 'accepted');

    await tell();

    expect((await waitingFor(id)).map(({ type, source_project: source }) => [type, source])).toEqual([
      ['image.created', null],
      ['image.member.created', null],
      ...Array.from({ length: 4 }, () => ['image.member.updated', member.projectId]),
    ]);
  });

  it('hold for all registries together that hand out messages at once', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(() => startRegistryOn(url(), boundsEnvironment, registry().clock)),
    );
    const all = [registry(), ...others];
    for (let round = 0; round < 5; round += 1) {
      const project = aCaller(`bounds-${randomUUID()}`);
      const slow = await listen({ url: `https://slow-${round}.example/` }, project);
      await listen({ url: `https://slow-${round}.example/too` }, project);
      await listen({}, project);
      for (let count = 0; count < 5; count += 1) await createImage(project);
      await tell();

      await Promise.all(all.map(({ webhookDeliveries: { claims } }) => claims.claim('worker', 16)));

      const sending = await registry().database.query<{ host: string }>(
        `SELECT w.host FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
          WHERE d.status = 'sending' AND w.project_id = ?`,
        [projectOf(project)],
      );
      expect(sending).toHaveLength(5);
      const toSlow = sending.filter(({ host }) => host === new URL(slow.url).hostname);
      expect(toSlow.length).toBeLessThanOrEqual(3);
    }
    for (const other of others) await other.close();
  });

  it('do not wait for a registry that stands still while it hands out messages', async () => {
    const { database, webhookDeliveries } = registry();
    // Of SQLite there is one registry.
    if (!url().startsWith('mysql')) return;
    const { id } = await listen();
    await createImage();
    await tell();
    await database.unitOfWork.run(async (tx) => {
      await tx.query('SELECT name FROM webhook_locks FOR UPDATE');
      await createImage();
      await registry().relay.relay();

      expect(await webhookDeliveries.claims.claim('worker', 16)).toEqual([]);
      await webhookDeliveries.events.tellDue();

      expect(await waitingFor(id)).toHaveLength(1);
    });
    await webhookDeliveries.events.tellDue();
    expect(await waitingFor(id)).toHaveLength(2);
    expect(await webhookDeliveries.claims.claim('worker', 16)).toHaveLength(2);
  });

  it('forget what nobody told for as long as messages are kept', async () => {
    await listen();
    await createImage();
    await registry().relay.relay();
    registry().clock.pass(registry().config.webhooks.retentionMs + 1);

    await registry().webhookDeliveries.upkeep.work();

    expect(await registry().rows('webhook_events')).toEqual([]);
  });

  it('keep an event that can not be told from holding up any other', async () => {
    const { id } = await listen();
    const poison = await createImage();
    const next = await createImage();
    await registry().relay.relay();
    await registry().database.unitOfWork.run((tx) =>
      tx.execute("UPDATE webhook_events SET payload = '{' WHERE subject = ?", [poison.id]),
    );
    const before = await counted('glimpse_webhook_dropped_total{reason="failed"}');

    await registry().webhookDeliveries.events.tellDue();

    expect(await waitingFor(id)).toMatchObject([{ subject: next.id }]);
    expect(await registry().rows('webhook_events')).toMatchObject([{ subject: poison.id, attempt: 1 }]);
    await registry().webhookDeliveries.upkeep.work();
    expect(await counted('glimpse_webhook_events_waiting')).toBe(1);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      registry().clock.pass(300_000);
      await registry().webhookDeliveries.events.tellDue();
    }
    expect(await registry().rows('webhook_events')).toEqual([]);
    expect(await counted('glimpse_webhook_dropped_total{reason="failed"}')).toBe(before + 1);
    expect(await waitingFor(id)).toHaveLength(1);
  });

  it('publish events of the service whatever becomes of the messages', async () => {
    await listen();
    const { unitOfWork } = registry().database;
    const image = await createImage();
    await unitOfWork.run((tx) => tx.execute("UPDATE webhooks SET event_types = 'broken'"));

    await tell();

    await unitOfWork.run((tx) => tx.execute('UPDATE webhooks SET event_types = \'["*"]\''));
    expect(registry().publisher.published.some(({ subject }) => subject === image.id)).toBe(true);
    expect(await registry().rows('webhook_events')).toMatchObject([{ subject: image.id, attempt: 1 }]);
    registry().clock.pass(1_000);
    await tell();
    expect(await registry().rows('webhook_deliveries')).toMatchObject([{ subject: image.id }]);
  });
}
