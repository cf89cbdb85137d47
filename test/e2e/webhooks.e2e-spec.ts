import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ImageApi, WebhookReceiver, eachMode, waitFor } from '@glimpse/testing';
import { JSON_TYPE, callers } from './callers.js';

interface WebhookDocument {
  readonly id: string;
  readonly secret: string;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
}
interface DeliveryDocument {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly status: string;
  readonly attempts: number;
  readonly last_status: number | null;
}

const OCTETS = { 'content-type': 'application/octet-stream' };

eachMode(
  'Webhooks',
  (glimpse) => {
    const { owner, consumer, stranger, reader, admin } = callers(() => glimpse().url);
    let receiver: WebhookReceiver;
    beforeAll(async () => {
      receiver = await WebhookReceiver.start();
    });
    afterAll(() => receiver.close());

    const create = async (more: object = {}, as: ImageApi = owner) => {
      const path = `/${randomUUID()}`;
      const body = JSON.stringify({ url: receiver.urlOf(path), event_types: ['*'], ...more });
      const { text } = await as.expect(201, 'POST', '/v2/webhooks', { headers: JSON_TYPE, body });
      return { path, ...(JSON.parse(text) as WebhookDocument) };
    };
    const show = async (id: string) =>
      JSON.parse((await owner.expect(200, 'GET', `/v2/webhooks/${id}`)).text) as WebhookDocument;
    const deliveriesOf = async (id: string, query = '') => {
      const { text } = await owner.expect(200, 'GET', `/v2/webhooks/${id}/deliveries?${query}`);
      return (JSON.parse(text) as { deliveries: DeliveryDocument[] }).deliveries;
    };
    const remove = (id: string, as: ImageApi = owner) => as.expect(204, 'DELETE', `/v2/webhooks/${id}`);
    /** Messages of this image, in the order in which they came. */
    const heardOf = (imageId: string, { path, secret }: { path: string; secret: string }) =>
      receiver
        .verified(path, secret)
        .filter(({ data }) => JSON.stringify(data).includes(imageId))
        .map(({ type }) => type);

    it('hear of an upload in its order, signed', async () => {
      const webhook = await create({ event_types: ['image.*'] });
      const { id } = await owner.create({ name: 'heard' });
      await owner.upload(id, '0123456789');
      await owner.delete(id);

      await waitFor('the last message', () => heardOf(id, webhook).includes('image.deleted'), 30_000);

      const types = heardOf(id, webhook);
      expect(types[0]).toBe('image.created');
      expect(types).toContain('image.activated');
      expect(types.at(-1)).toBe('image.deleted');
      const activated = receiver
        .verified(webhook.path, webhook.secret)
        .find(({ type }) => type === 'image.activated');
      expect(activated?.data).toMatchObject({ image: { id, name: 'heard', status: 'active', size: 10 } });
      const sent = receiver.received.filter(({ path }) => path === webhook.path);
      expect(sent.map(({ body }) => body).join()).not.toMatch(/file:\/\/|locations|direct_url/);
      expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(sent.length);
      await remove(webhook.id);
    });

    it('hear of imports that end', async () => {
      const webhook = await create({ event_types: ['task.*'] });
      const { id } = await owner.create();
      await owner.expect(204, 'PUT', `/v2/images/${id}/stage`, { headers: OCTETS, body: 'data' });
      await owner.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: '{"method":{"name":"glance-direct"}}',
      });

      await waitFor('the end of the task', () => heardOf(id, webhook).length > 0, 30_000);

      expect(heardOf(id, webhook)).toEqual(['task.succeeded']);
      await remove(webhook.id);
    });

    it('are of a project: others neither hear nor see what is theirs', async () => {
      const mine = await create();
      const theirs = await create({}, consumer);
      const foreign = await create({}, stranger);
      const { id } = await owner.create({ visibility: 'shared' });
      await owner.expect(200, 'POST', `/v2/images/${id}/members`, {
        headers: JSON_TYPE,
        body: '{"member":"consumer"}',
      });

      await waitFor('the member to hear', () => heardOf(id, theirs).length > 0, 30_000);
      await waitFor('the owner to hear', () => heardOf(id, mine).length > 1, 30_000);

      expect(heardOf(id, theirs)).toEqual(['image.member.created']);
      expect(heardOf(id, foreign)).toEqual([]);
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/test'],
        ['GET', '/deliveries'],
      ] as const)
        expect((await stranger.send(method, `/v2/webhooks/${mine.id}${path}`)).status).toBe(404);
      expect((await reader.send('GET', `/v2/webhooks/${mine.id}`)).status).toBe(200);
      expect((await reader.send('POST', `/v2/webhooks/${mine.id}/test`)).status).toBe(403);
      expect((await admin.send('GET', `/v2/webhooks/${mine.id}`)).status).toBe(200);
      await Promise.all([remove(mine.id), remove(theirs.id, consumer), remove(foreign.id, stranger)]);
    });

    it('send again to a receiver that fails, and to no other place', async () => {
      const webhook = await create({ event_types: ['image.created'] });
      const answers = [500, 302, 204];
      receiver.answer = (message, response) => {
        const status = message.path === webhook.path ? (answers.shift() ?? 204) : 204;
        response.writeHead(status, { location: receiver.urlOf('/elsewhere') }).end();
      };
      const { id } = await owner.create();

      const taken = await waitFor(
        'the delivery',
        async () => (await deliveriesOf(webhook.id, 'status=delivered'))[0],
        30_000,
      );

      expect(taken).toMatchObject({ subject: id, attempts: 3, last_status: 204 });
      expect(receiver.received.some(({ path }) => path === '/elsewhere')).toBe(false);
      const ids = receiver.received
        .filter(({ path }) => path === webhook.path)
        .map(({ headers }) => headers['webhook-id']);
      expect(ids).toHaveLength(3);
      expect(new Set(ids).size).toBe(1);
      await remove(webhook.id);
    });

    it('give up in the end, until somebody asks for another attempt', async () => {
      const webhook = await create({ event_types: ['image.created'] });
      let status = 500;
      receiver.answer = (_message, response) => response.writeHead(status).end();
      await owner.create();
      const failed = await waitFor(
        'the failure',
        async () => (await deliveriesOf(webhook.id, 'status=failed'))[0],
        30_000,
      );
      expect(failed.attempts).toBe(3);

      status = 204;
      await owner.expect(202, 'POST', `/v2/webhooks/${webhook.id}/deliveries/${failed.id}/retry`);

      await waitFor(
        'the delivery',
        async () => (await deliveriesOf(webhook.id, 'status=delivered')).length,
        30_000,
      );
      await remove(webhook.id);
    });

    it('end where the receiver is gone', async () => {
      const webhook = await create();
      receiver.answer = (message, response) =>
        response.writeHead(message.path === webhook.path ? 410 : 204).end();
      await owner.expect(202, 'POST', `/v2/webhooks/${webhook.id}/test`);

      await waitFor('the end', async () => !(await show(webhook.id)).enabled, 30_000);

      expect(await show(webhook.id)).toMatchObject({ disabled_reason: 'gone' });
      expect((await owner.send('POST', `/v2/webhooks/${webhook.id}/test`)).status).toBe(409);
      await remove(webhook.id);
    });

    it('of a receiver that does not answer hold up no other', async () => {
      const slow = await create({ event_types: ['image.created'] });
      const quick = await create({ event_types: ['image.created'] }, stranger);
      const held: ServerResponse[] = [];
      receiver.answer = (message, response) => {
        if (message.path === slow.path) held.push(response);
        else response.writeHead(204).end();
      };
      for (let count = 0; count < 5; count += 1) await owner.create();
      const { id } = await stranger.create();

      await waitFor('the other one', () => heardOf(id, quick).length > 0, 30_000);

      await waitFor('the slow one to be asked', () => held.length > 0, 30_000);
      expect(await deliveriesOf(slow.id, 'status=delivered')).toEqual([]);
      receiver.answer = (_message, response) => response.writeHead(204).end();
      for (const response of held) response.writeHead(204).end();
      await Promise.all([remove(slow.id), remove(quick.id, stranger)]);
    });

    it('tell their secret once, and sign with both while it changes', async () => {
      const webhook = await create({ event_types: ['image.created'] });
      const { text } = await owner.expect(200, 'POST', `/v2/webhooks/${webhook.id}/rotate-secret`);
      const { secret } = JSON.parse(text) as WebhookDocument;
      const { id } = await owner.create();

      await waitFor('the message', () => heardOf(id, webhook).length > 0, 30_000);

      expect(secret).not.toBe(webhook.secret);
      expect(heardOf(id, { ...webhook, secret })).toEqual(['image.created']);
      const shown = await owner.expect(200, 'GET', '/v2/webhooks');
      for (const place of [shown.text, glimpse().logs])
        for (const known of [secret, webhook.secret]) expect(place).not.toContain(known.slice(6));
      await remove(webhook.id);
    });

    it.each([
      { url: 'http://10.0.0.1/' },
      { url: 'http://169.254.169.254/latest' },
      { url: 'ftp://example.org/' },
      { event_types: ['nothing.*'] },
      { event_types: 'image.*' },
      { secret: 'whsec_c2hvcnQ=' },
      { more: 1 },
    ])('are refused with %j', async (more) => {
      const body = JSON.stringify({ url: receiver.urlOf(), event_types: ['*'], ...more });

      expect((await owner.send('POST', '/v2/webhooks', { headers: JSON_TYPE, body })).status).toBe(400);
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_WEBHOOKS_ALLOWED_SCHEMES: 'http,https',
      GLIMPSE_WEBHOOKS_ALLOWED_PORTS: '',
      GLIMPSE_WEBHOOKS_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_WEBHOOKS_RETRY_SECONDS: '0,0',
      GLIMPSE_WEBHOOKS_PER_HOST: '16',
      GLIMPSE_WEBHOOKS_TIMEOUT_MS: '60000',
      GLIMPSE_JOBS_POLL_MS: '500',
    },
  },
);
