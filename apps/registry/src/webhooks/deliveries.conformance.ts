import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from '@jest/globals';
import type { Caller, ClaimedDelivery, DeliveryOutcome, NewWebhook } from '@glimpse/contracts';
import { renderMetrics } from '@glimpse/observability';
import { Webhook as Verifier } from 'standardwebhooks';
import { type RegistryUnderTest, aCaller, aNewImage, anAdmin } from '../registry-harness.conformance.js';
import { aWebhook, tellWebhooks } from './webhooks.conformance.js';

export const deliveriesEnvironment = {
  GLIMPSE_AUDIT_EVENTS: 'false',
  GLIMPSE_WEBHOOKS_RETRY_SECONDS: '5,300',
  GLIMPSE_WEBHOOKS_PER_HOST: '2',
  GLIMPSE_WEBHOOKS_PER_PROJECT: '3',
  GLIMPSE_WEBHOOKS_MAX_WAITING: '30',
};

const HOUR_MS = 3_600_000;
const OK: DeliveryOutcome = { status: 200 };
const BROKEN: DeliveryOutcome = { status: 500 };

export function describeDeliveries(registry: () => RegistryUnderTest): void {
  let ctx: Caller;
  beforeEach(async () => {
    ctx = aCaller(`deliveries-${randomUUID()}`);
    // Each test has the turns for itself.
    await registry().database.unitOfWork.run(async (tx) => {
      await tx.execute('DELETE FROM webhook_deliveries');
      await tx.execute('DELETE FROM webhooks');
    });
  });

  const listen = (more: Partial<NewWebhook> = {}, caller = ctx) =>
    registry().webhooks.create(caller, aWebhook({ url: `https://${randomUUID()}.example/`, ...more }));
  const createImage = (caller = ctx) => registry().images.create(caller, aNewImage());
  const relay = () => tellWebhooks(registry());
  const claim = (limit = 16): Promise<ClaimedDelivery[]> =>
    registry().webhookDeliveries.claims.claim('worker-1', limit);
  const finish = ({ id, leaseToken }: ClaimedDelivery, outcome: DeliveryOutcome) =>
    registry().webhookDeliveries.outcomes.finish(id, leaseToken, outcome);
  const listOf = async (id: string, caller = ctx) =>
    (await registry().webhookDeliveries.all.list(caller, id, { limit: 100 })).deliveries;
  const messageOf = ({ body }: ClaimedDelivery) =>
    JSON.parse(body) as { type: string; timestamp: string; data: Record<string, Record<string, unknown>> };
  /** Claims one and says what came of it. */
  const attempt = async (outcome: DeliveryOutcome) => {
    const [delivery, ...others] = await claim();
    if (delivery === undefined || others.length > 0) throw new Error(`${others.length + 1} were claimed`);
    await finish(delivery, outcome);
  };
  const verify = (secret: string, { body, headers }: ClaimedDelivery) =>
    new Verifier(secret).verify(body, headers);

  it('tell the project of its image, once for each webhook that listens', async () => {
    const all = await listen();
    const other = await listen({ eventTypes: ['task.*'] });
    const stranger = await listen({}, aCaller(`stranger-${randomUUID()}`));
    const image = await createImage();

    await relay();
    await registry().database.unitOfWork.run((tx) => tx.execute('UPDATE outbox SET sent_at = NULL'));
    await relay();

    expect(await listOf(all.webhook.id)).toMatchObject([
      { type: 'image.created', subject: image.id, status: 'waiting', attempts: 0 },
    ]);
    expect(await listOf(other.webhook.id)).toEqual([]);
    expect(await listOf(stranger.webhook.id, anAdmin())).toEqual([]);
  });

  it('are signed for the library of Standard Webhooks, with both secrets while these overlap', async () => {
    // Receivers refuse what was signed long ago, and the library asks the clock of the machine.
    registry().clock.pass(Date.now() - registry().clock.now());
    const { webhook, secret } = await listen();
    const image = await createImage();
    await relay();
    const rotated = await registry().webhooks.rotateSecret(ctx, webhook.id, { overlapSeconds: 60 });
    const [delivery] = await claim();
    if (delivery === undefined) throw new Error('nothing was claimed');

    expect(delivery.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const key of [secret, rotated.secret])
      expect(verify(key, delivery)).toMatchObject({
        type: 'image.created',
        data: { image: { id: image.id, name: 'web', status: 'queued' } },
      });
    expect(() => verify(`whsec_${randomBytes(32).toString('base64')}`, delivery)).toThrow('signature');
    expect(() => verify(secret, { ...delivery, body: delivery.body.replace('web', 'wob') })).toThrow(
      'signature',
    );
    await finish(delivery, BROKEN);
    registry().clock.pass(61_000);
    const [later] = await claim();
    expect(later?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    expect(later?.headers['webhook-id']).toBe(delivery.headers['webhook-id']);
  });

  it('tell nothing of locations and of what the service keeps for itself', async () => {
    await listen();
    const image = await createImage();
    const unit = registry().database.unitOfWork;
    await unit.run((tx) =>
      tx.insert('image_locations', [
        {
          image_id: image.id,
          value: 'file:///secret/place',
          meta_data: '{}',
          status: 'active',
          created_at: '2026-01-01 00:00:00',
          deleted: 0,
        },
      ]),
    );
    await registry().images.update(ctx, image.id, [
      { target: 'attribute', op: 'set', name: 'name', value: 'new' },
    ]);
    await relay();

    const bodies = (await registry().rows('webhook_deliveries')).map(({ payload }) => payload);

    expect(bodies).toHaveLength(2);
    expect(bodies.join()).not.toMatch(/secret|locations|stores|os_glance/);
  });

  it('tell a project what is shared with it, and the owner', async () => {
    const consumer = aCaller(`consumer-${randomUUID()}`);
    const mine = await listen({ eventTypes: ['image.member.*'] });
    const theirs = await listen({}, consumer);
    const image = await registry().images.create(ctx, aNewImage({ visibility: 'shared' }));

    await registry().members.add(ctx, image.id, consumer.projectId ?? '');
    await registry().members.setStatus(consumer, image.id, consumer.projectId ?? '', 'accepted');
    await relay();

    const types = ['image.member.updated', 'image.member.created'];
    expect((await listOf(mine.webhook.id)).map(({ type }) => type)).toEqual(types);
    expect((await listOf(theirs.webhook.id, consumer)).map(({ type }) => type)).toEqual(types);
  });

  it('go in the order of an image, one at a time', async () => {
    await listen();
    const image = await createImage();
    await registry().images.delete(ctx, image.id);
    await createImage();
    await relay();

    const first = await claim();
    const meanwhile = await claim();
    expect(first.map((delivery) => messageOf(delivery).type)).toEqual(['image.created', 'image.created']);
    expect(meanwhile).toEqual([]);
    for (const delivery of first) await finish(delivery, OK);

    expect((await claim()).map((delivery) => messageOf(delivery))).toMatchObject([
      { type: 'image.deleted', data: { image: { id: image.id } } },
    ]);
  });

  it('are not held up by a receiver that is slow, nor by a project with many', async () => {
    const slow = await listen({ url: 'https://slow.example/' });
    const too = await listen({ url: 'https://slow.example/too' });
    for (let count = 0; count < 8; count += 1) await createImage();
    await relay();

    const ofSlow = await claim();
    expect(ofSlow).toHaveLength(2);
    await listen({ url: 'https://quick.example/' });
    const others = aCaller(`others-${randomUUID()}`);
    const quick = await listen({ url: 'https://quick2.example/' }, others);
    await createImage();
    await createImage(others);
    await relay();
    const next = await claim();

    expect(next.map(({ webhookId }) => webhookId)).toContain(quick.webhook.id);
    // Two of the project are on their way, and there may be three.
    expect(next).toHaveLength(2);
    expect(next.some(({ webhookId }) => [slow.webhook.id, too.webhook.id].includes(webhookId))).toBe(false);
    await finish(ofSlow[0]!, OK);
    // The other webhook of the host has its turn.
    const turns = await claim();
    expect(turns.map(({ webhookId }) => webhookId)).not.toEqual([ofSlow[0]!.webhookId]);
  });

  it('are sent again with pauses, and then have failed, which is announced', async () => {
    const { webhook } = await listen();
    const image = await createImage();
    await relay();

    await attempt(BROKEN);
    expect(await claim()).toEqual([]);
    expect(await listOf(webhook.id)).toMatchObject([
      { status: 'waiting', attempts: 1, lastStatus: 500, lastError: 'The receiver answered 500' },
    ]);
    registry().clock.pass(6_001);
    await attempt({ error: 'The receiver can not be reached' });
    registry().clock.pass(200_000);
    expect(await claim()).toEqual([]);
    registry().clock.pass(200_000);
    await attempt({ status: 302 });
    await relay();

    expect(await listOf(webhook.id)).toMatchObject([
      { status: 'failed', attempts: 3, lastStatus: 302, nextAttemptAt: null },
    ]);
    const announced = registry().publisher.published.filter(({ subject }) => subject === webhook.id);
    expect(announced).toMatchObject([
      { name: 'webhook.delivery_failed', payload: { type: 'image.created', attempts: 3, lastStatus: 302 } },
    ]);
    expect((await renderMetrics()).body).toMatch(
      /glimpse_webhook_deliveries_total\{outcome="failed"\} [1-9]/,
    );
    expect(image.id).toBe((await listOf(webhook.id))[0]?.subject);
  });

  it('wait as long as the receiver asks for, all of its webhook', async () => {
    await listen();
    await createImage();
    await relay();
    await attempt({ status: 429, retryAfterSeconds: 600 });
    await createImage();
    await relay();

    registry().clock.pass(599_000);
    expect(await claim()).toEqual([]);
    registry().clock.pass(2_000);
    expect(await claim()).toHaveLength(2);
  });

  it('do not wait for what a receiver asked for that was replaced', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    await attempt({ status: 429, retryAfterSeconds: 86_400 });

    const moved = await registry().webhooks.update(ctx, webhook.id, {
      url: `https://${randomUUID()}.example/`,
    });

    expect(moved.failingSince).toBeNull();
    await createImage();
    await relay();
    expect(await claim()).toHaveLength(1);
  });

  it('end with 410, and with them the webhook', async () => {
    const other = await listen({ eventTypes: ['webhook.*'] });
    const { webhook } = await listen({ eventTypes: ['image.created'] });
    await createImage();
    await createImage();
    await relay();

    const [first, second] = await claim();
    await finish(first!, { status: 410 });
    await finish(second!, BROKEN);
    await relay();

    expect(await registry().webhooks.get(ctx, webhook.id)).toMatchObject({
      isEnabled: false,
      disabledReason: 'gone',
    });
    expect((await listOf(webhook.id)).map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(await listOf(other.webhook.id)).toMatchObject([{ type: 'webhook.disabled', subject: webhook.id }]);
  });

  it('disable a webhook that fails for days, until somebody enables it', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    await attempt(BROKEN);
    registry().clock.pass(registry().config.webhooks.disableAfterMs + HOUR_MS);
    expect(await registry().webhooks.get(ctx, webhook.id)).toMatchObject({ isEnabled: true });
    await attempt(BROKEN);

    expect(await registry().webhooks.get(ctx, webhook.id)).toMatchObject({
      isEnabled: false,
      disabledReason: 'failing',
    });
    const enabled = await registry().webhooks.update(ctx, webhook.id, { isEnabled: true });
    expect(enabled).toMatchObject({ isEnabled: true, disabledReason: null, failingSince: null });
  });

  it('that are taken forget earlier failures', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    await attempt(BROKEN);
    expect((await registry().webhooks.get(ctx, webhook.id)).failingSince).not.toBeNull();
    registry().clock.pass(6_001);
    await attempt({ status: 204 });

    expect((await registry().webhooks.get(ctx, webhook.id)).failingSince).toBeNull();
    expect(await listOf(webhook.id)).toMatchObject([{ status: 'delivered', attempts: 2, lastStatus: 204 }]);
  });

  it('that were written while their webhook was disabled have failed as well', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    await registry().database.unitOfWork.run((tx) =>
      tx.execute('UPDATE webhooks SET is_enabled = 0 WHERE id = ?', [webhook.id]),
    );
    await registry().webhookDeliveries.upkeep.work();

    expect(await listOf(webhook.id)).toMatchObject([{ status: 'failed', attempts: 0 }]);
  });

  it('disable a webhook that is too far behind', async () => {
    const { webhook } = await listen();
    for (let count = 0; count < 31; count += 1) await createImage();
    await relay();

    expect(await registry().webhooks.get(ctx, webhook.id)).toMatchObject({ disabledReason: 'overflow' });
    expect(await claim()).toEqual([]);
  });

  it('of a worker that died are sent again, and its late word counts for nothing', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    const [lost] = await claim();
    registry().clock.pass(HOUR_MS);

    // The first claim notes that the attempt failed, the next one comes after the pause.
    expect(await claim()).toEqual([]);
    expect(await finish(lost!, OK)).toBe('lost');
    registry().clock.pass(6_001);
    const [again] = await claim();
    expect(await finish(again!, OK)).toBe('ok');
    expect(await finish(again!, OK)).toBe('lost');
    expect(await listOf(webhook.id)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  it('are each claimed once by those who ask at once', async () => {
    await listen();
    await listen({}, aCaller(`another-${randomUUID()}`));
    await createImage();
    await createImage();
    await relay();

    const claimed = (await Promise.all([claim(), claim(), claim()])).flat();

    expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length);
    expect(claimed.length).toBeGreaterThan(0);
  });

  it('are sent again when somebody asks for it, and tests as well', async () => {
    const { webhook } = await listen({ eventTypes: ['image.created'] });
    const { all } = registry().webhookDeliveries;
    const test = await all.test(ctx, webhook.id);
    const [delivery] = await claim();
    expect(messageOf(delivery!)).toMatchObject({
      type: 'webhook.test',
      data: { webhook: { id: webhook.id } },
    });
    await expect(all.retry(ctx, webhook.id, test.id)).rejects.toThrow('being sent');
    await finish(delivery!, OK);

    const again = await all.retry(ctx, webhook.id, test.id);

    expect(again).toMatchObject({ status: 'waiting', attempts: 0, endedAt: null });
    expect(await claim()).toMatchObject([{ id: test.id }]);
    expect(registry().live.announced).toContainEqual(expect.objectContaining({ name: 'webhook.due' }));
    await expect(all.retry(ctx, webhook.id, 'nothing')).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
    await registry().webhooks.update(ctx, webhook.id, { isEnabled: false });
    await expect(all.test(ctx, webhook.id)).rejects.toMatchObject({ code: 'WEBHOOK_CONFLICT' });
  });

  it('are listed in pages and by their status', async () => {
    const { webhook } = await listen();
    for (let count = 0; count < 3; count += 1) await createImage();
    await relay();
    const { all } = registry().webhookDeliveries;

    const first = await all.list(ctx, webhook.id, { limit: 2 });
    const next = await all.list(ctx, webhook.id, { limit: 2, marker: first.deliveries.at(-1)?.id });

    expect([first.isFullPage, next.isFullPage, next.deliveries.length]).toEqual([true, false, 1]);
    expect((await all.list(ctx, webhook.id, { limit: 5, status: 'failed' })).deliveries).toEqual([]);
    await expect(all.list(ctx, webhook.id, { limit: 1, marker: 'x' })).rejects.toMatchObject({
      code: 'MARKER_NOT_FOUND',
    });
  });

  it('are forgotten some days after they ended, and counted while they wait', async () => {
    const { webhook } = await listen();
    await createImage();
    await relay();
    await attempt(OK);
    await createImage();
    await relay();
    registry().clock.pass(registry().config.webhooks.retentionMs + 1);

    await registry().webhookDeliveries.upkeep.work();

    expect(await listOf(webhook.id)).toMatchObject([{ status: 'waiting' }]);
    const { body } = await renderMetrics();
    expect(body).toMatch(/^glimpse_webhook_deliveries_waiting 1$/m);
    expect(body).toMatch(/^glimpse_webhook_oldest_waiting_seconds 604800\.\d+$/m);
  });
}
