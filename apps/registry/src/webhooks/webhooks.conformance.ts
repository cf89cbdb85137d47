import { randomBytes } from 'node:crypto';
import type { NewWebhook, WebhookWithSecret } from '@glimpse/contracts';
import { expect, it } from '@jest/globals';
import { type RegistryUnderTest, aCaller, aNewImage, anAdmin } from '../registry-harness.conformance.js';
import { newSecret } from './webhook-secrets.js';

const KEY = randomBytes(32).toString('base64');
export const webhooksEnvironment = {
  GLIMPSE_WEBHOOKS_MAX_PER_PROJECT: '3',
  GLIMPSE_WEBHOOKS_SECRET_KEYS: KEY,
};

export const aWebhook = (more: Partial<NewWebhook> = {}): NewWebhook => ({
  url: 'https://hooks.example.org/images',
  eventTypes: ['image.*'],
  description: null,
  isEnabled: true,
  ...more,
});

/** Publishes what the registry has to say, and writes it down for webhooks. */
export async function tellWebhooks({ relay, webhookDeliveries }: RegistryUnderTest): Promise<void> {
  await relay.relay();
  await webhookDeliveries.events.tellDue();
}

export function describeWebhooks(registry: () => RegistryUnderTest): void {
  let project = 0;
  /** A caller of a project that nobody else has. */
  const anOwner = () => aCaller(`webhooks-${(project += 1)}`);
  const create = (ctx = anOwner(), more: Partial<NewWebhook> = {}): Promise<WebhookWithSecret> =>
    registry().webhooks.create(ctx, aWebhook(more));
  const codeOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
  const refusal = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'done',
      (error: Error) => error.message,
    );

  it('show their secret once, and keep it encrypted', async () => {
    const ctx = anOwner();
    const { webhook, secret } = await create(ctx);

    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(JSON.stringify(await registry().webhooks.get(ctx, webhook.id))).not.toContain(secret.slice(6));
    const [row] = await registry().rows('webhooks', `id = '${webhook.id}'`);
    expect(row?.secret).toMatch(/^sealed:/);
    expect(JSON.stringify(row)).not.toContain(secret.slice(6));
    expect(JSON.stringify(await registry().rows('outbox'))).not.toContain(secret.slice(6));
  });

  it('take a secret that is one of Standard Webhooks', async () => {
    const given = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
    const mine = given(24);

    expect((await create(anOwner(), { secret: mine })).secret).toBe(mine);
    expect(await codeOf(create(anOwner(), { secret: given(64) }))).toBe('done');
    for (const secret of [given(23), given(65), 'whsec_', 'secret', `${given(24)}!`])
      expect(await codeOf(create(anOwner(), { secret }))).toBe('REQUEST_INVALID');
  });

  it.each([
    'http://hooks.example.org/',
    'ftp://hooks.example.org/',
    'hooks.example.org',
    'https://user:pass@hooks.example.org/',
    'https://hooks.example.org/#part',
    'https://hooks.example.org:22/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://169.254.169.254/latest',
    `https://hooks.example.org/${'x'.repeat(2_048)}`,
  ])('are refused with a URL that nothing is sent to (%#)', async (url) => {
    expect(await codeOf(create(anOwner(), { url }))).toBe('REQUEST_INVALID');
  });

  it('take types and patterns of them', async () => {
    const { webhook } = await create(anOwner(), { eventTypes: ['image.*', 'image.*', 'task.failed', '*'] });

    expect(webhook.eventTypes).toEqual(['image.*', 'task.failed', '*']);
    for (const eventTypes of [
      [],
      ['image'],
      ['image.crea*'],
      ['job.*'],
      ['*.created'],
      ['image.location.added'],
    ])
      expect(await codeOf(create(anOwner(), { eventTypes }))).toBe('REQUEST_INVALID');
    expect(await refusal(create(anOwner(), { eventTypes: ['job.*'] }))).toContain('image.activated');
  });

  it('are of a bounded number', async () => {
    const ctx = anOwner();
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => codeOf(create(ctx))));

    expect(made.filter((code) => code === 'done')).toHaveLength(3);
    expect(made.filter((code) => code === 'QUOTA_EXCEEDED')).toHaveLength(2);
  });

  it('are not found by other projects, and by readers not changed', async () => {
    const ctx = anOwner();
    const { webhook } = await create(ctx);
    const reader = aCaller(ctx.projectId, 'reader');
    const { webhooks } = registry();

    expect(await codeOf(webhooks.get(anOwner(), webhook.id))).toBe('WEBHOOK_NOT_FOUND');
    expect(await codeOf(webhooks.delete(anOwner(), webhook.id))).toBe('WEBHOOK_NOT_FOUND');
    expect(await codeOf(webhooks.get(reader, webhook.id))).toBe('done');
    expect(await codeOf(webhooks.delete(reader, webhook.id))).toBe('ACTION_FORBIDDEN');
    expect(await codeOf(webhooks.create(reader, aWebhook()))).toBe('ACTION_FORBIDDEN');
    expect(await codeOf(webhooks.get(anAdmin(), webhook.id))).toBe('done');
    expect(await codeOf(webhooks.create(aCaller(null, 'admin'), aWebhook()))).toBe('ACTION_FORBIDDEN');
  });

  it('are listed in pages, of admins those of all projects', async () => {
    const ctx = anOwner();
    const ids = [];
    for (const description of ['a', 'b', 'c']) ids.push((await create(ctx, { description })).webhook.id);
    const { webhooks } = registry();

    const first = await webhooks.list(ctx, { limit: 2 });
    const next = await webhooks.list(ctx, { limit: 2, marker: first.webhooks.at(-1)?.id });

    expect(first).toMatchObject({ isFullPage: true, webhooks: [{ id: ids[0] }, { id: ids[1] }] });
    expect(next).toMatchObject({ isFullPage: false, webhooks: [{ id: ids[2] }] });
    const all = await webhooks.list(anAdmin(), { limit: 1_000 });
    expect(new Set(all.webhooks.map(({ projectId }) => projectId)).size).toBeGreaterThan(1);
    const ofOne = await webhooks.list(anAdmin(), { limit: 1_000, projectId: ctx.projectId ?? '' });
    expect(ofOne.webhooks.map(({ id }) => id)).toEqual(ids);
    expect(await codeOf(webhooks.list(anOwner(), { limit: 1, marker: ids[0] }))).toBe('MARKER_NOT_FOUND');
  });

  it('are changed, and what is left out stays', async () => {
    const ctx = anOwner();
    const { webhook } = await create(ctx, { description: 'mine' });
    const url = 'https://other.example.org/';

    const changed = await registry().webhooks.update(ctx, webhook.id, { url, isEnabled: false });

    expect(changed).toMatchObject({ url, isEnabled: false, description: 'mine', eventTypes: ['image.*'] });
    expect(await codeOf(registry().webhooks.update(ctx, webhook.id, { url: 'https://10.0.0.1/' }))).toBe(
      'REQUEST_INVALID',
    );
  });

  it('are gone when they are deleted, with their secret', async () => {
    const ctx = anOwner();
    const { webhook } = await create(ctx);

    await registry().webhooks.delete(ctx, webhook.id);

    expect(await codeOf(registry().webhooks.get(ctx, webhook.id))).toBe('WEBHOOK_NOT_FOUND');
    const rows = () => registry().rows('webhooks', `id = '${webhook.id}'`);
    expect(await rows()).toMatchObject([{ secret: '' }]);
    registry().clock.pass(60_000);
    await registry().webhookDeliveries.upkeep.work();
    expect(await rows()).toEqual([]);
  });

  it('are in the audit trail, what is refused too', async () => {
    const ctx = anOwner();
    const { webhook } = await create(ctx);
    await registry().relay.relay();

    const records = registry().publisher.published.filter(({ subject }) => subject === webhook.id);
    expect(records.map(({ payload }) => payload)).toMatchObject([
      { action: 'create', target: { typeURI: 'service/storage/image/webhook', id: webhook.id } },
    ]);
  });
}

export const noWebhooksEnvironment = { GLIMPSE_WEBHOOKS_ENABLED: 'false' };

export function describeNoWebhooks(registry: () => RegistryUnderTest): void {
  it('are refused in words, and nothing is written down for those that are there', async () => {
    const ctx = aCaller('p1');
    await registry().insert('webhooks', {
      id: 'before',
      project_id: 'p1',
      url: 'https://hooks.example.org/',
      host: 'hooks.example.org',
      event_types: '["*"]',
      secret: newSecret(),
      is_enabled: 1,
      served_at: 0,
      created_at: 0,
      updated_at: 0,
    });
    await registry().images.create(ctx, aNewImage());
    await registry().relay.relay();

    expect(await registry().rows('webhook_deliveries')).toEqual([]);
    expect(await registry().webhookDeliveries.claims.claim('worker', 16)).toEqual([]);
    for (const call of [
      registry().webhooks.create(ctx, aWebhook()),
      registry().webhooks.list(ctx, { limit: 1 }),
      registry().webhooks.delete(ctx, 'before'),
    ])
      await expect(call).rejects.toMatchObject({
        code: 'ACTION_FORBIDDEN',
        message: 'This service has no webhooks.',
      });
  });
}
