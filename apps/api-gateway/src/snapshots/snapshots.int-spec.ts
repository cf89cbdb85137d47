import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenBus, openBus, permissionsOf } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { createLogger, renderMetrics } from '@glimpse/observability';
import type { RunningService } from '@glimpse/runtime';
import {
  ComputeHost,
  type OwnPlace,
  createUser,
  createVirtualHost,
  cutConnections,
  requestsAreTaken,
  waitFor,
} from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startApiGateway } from '../bootstrap.js';
import { RegistryUnderTest, serve } from './registry-under-test.conformance.js';

const userOf = (url: string) => decodeURIComponent(new URL(url).username);

describe('Requests of compute at the gateway', () => {
  let place: OwnPlace;
  let busUrl: string;
  let dataDir: string;
  let registry: RegistryUnderTest;
  let endRegistry: (() => Promise<void>) | undefined;
  let gateway: RunningService;
  let compute: ComputeHost;
  let manage: OpenBus;

  const start = async (options: Record<string, string> = {}) => {
    const config = loadConfig({
      GLIMPSE_PORT: '0',
      GLIMPSE_AUTH: 'headers',
      GLIMPSE_BUS_URL: busUrl,
      GLIMPSE_DATA_DIR: dataDir,
      GLIMPSE_LOG_LEVEL: 'silent',
      GLIMPSE_SNAPSHOTS_BUS_URL: place.url,
      GLIMPSE_SNAPSHOTS_TRUSTED_PUBLISHERS: userOf(place.url),
      ...options,
    });
    gateway = await startApiGateway(config);
    manage = openBus({
      service: 'manage',
      instanceId: 'manage',
      url: place.url,
      options: config.bus,
      logger: createLogger('manage', { level: 'silent' }),
    });
    await requestsAreTaken(place.url);
    compute = await ComputeHost.open(place.url);
  };
  const serveRegistry = async () => {
    endRegistry = await serve(registry, busUrl);
  };

  beforeEach(async () => {
    place = await createVirtualHost();
    busUrl = `memory:${randomUUID()}`;
    dataDir = await mkdtemp(join(tmpdir(), 'glimpse-edge-'));
    registry = new RegistryUnderTest();
  });
  afterEach(async () => {
    await compute.close();
    await manage.close();
    await gateway.close(0);
    await endRegistry?.();
    endRegistry = undefined;
    await place.remove();
    await rm(dataDir, { recursive: true });
  });

  const aRequest = (more: object = {}) => ({
    request_id: randomUUID(),
    project_id: 'p',
    user_id: 'u',
    instance_id: 'i',
    name: 'n',
    source: { uri: 'file:///disk' },
    ...more,
  });
  const retried = async () =>
    Number(/snapshot_requests_total\{outcome="retried"\} (\d+)/.exec((await renderMetrics()).body)?.[1] ?? 0);
  const buried = async (count: number) => {
    await waitFor('the dead letters', async () => (await manage.deadLetters.list(10)).length === count);
    return manage.deadLetters.list(10);
  };

  it('takes the word of a trusted publisher and tells the registry who asks', async () => {
    await serveRegistry();
    await start();
    const request = aRequest({ roles: ['Member'] });

    const reply = await compute.ask(request);

    expect(reply).toMatchObject({ status: 'accepted', request_id: request.request_id, error: null });
    const [asked] = registry.find(request.request_id);
    expect(asked).toMatchObject({
      isTrusted: true,
      replyTo: null,
      ctx: { projectId: 'p', userId: 'u', roles: ['member'] },
      request: { name: 'n', source: { format: 'raw' } },
    });
    // Compute can tell that it was Glimpse that replied.
    expect(compute.replies[0]?.userId).toBe(userOf(place.url));
  });

  it.each([
    ['a publisher that is not trusted', { GLIMPSE_SNAPSHOTS_TRUSTED_PUBLISHERS: 'nova' }, {}],
    ['nobody in particular', {}, { userId: undefined }],
  ])('rejects a request of %s without a token', async (_who, options, properties) => {
    await serveRegistry();
    await start(options);

    const reply = await compute.ask(aRequest(), properties);

    expect(reply).toMatchObject({ status: 'rejected', error: { code: 'IDENTITY_REFUSED' }, image_id: null });
    expect(registry.asked).toEqual([]);
  });

  it('believes no user of the RabbitMQ of compute because of a name that one of ours has elsewhere', async () => {
    await serveRegistry();
    const other = await createUser(place.url, permissionsOf('compute'));
    await start({ GLIMPSE_BUS_TRUSTED_USERS: userOf(other.url) });
    const host = await ComputeHost.open(other.url);

    // As a copy that one of ours has put aside.
    const reply = await host.ask(aRequest(), { headers: { 'x-glimpse-publisher': userOf(place.url) } });
    await host.close();
    await other.remove();

    expect(reply).toMatchObject({ status: 'rejected', error: { code: 'IDENTITY_REFUSED' } });
  });

  it('wants to know the project, and checks a token where one is given', async () => {
    await serveRegistry();
    await start();

    await expect(compute.ask(aRequest({ project_id: undefined }))).resolves.toMatchObject({
      error: { code: 'REQUEST_INVALID' },
    });
    // Identity headers of a proxy are all that this gateway trusts.
    await expect(compute.ask(aRequest({ auth: { token: 'any' } }))).resolves.toMatchObject({
      error: { code: 'IDENTITY_REFUSED' },
    });
  });

  it('answers and buries broken messages, without their secrets, and goes on with the next', async () => {
    await serveRegistry();
    await start({ GLIMPSE_SNAPSHOTS_MAX_MESSAGE_BYTES: '4096' });
    const token = `gAAAAAB${'x'.repeat(150)}`;
    const broken = [
      '{"request_id": "half", "auth": {"token": "' + token,
      Buffer.from([0xff, 0xfe, 0x00]),
      '['.repeat(2_000),
      `{"name": "${'y'.repeat(5_000)}"}`,
      JSON.stringify({
        request_id: 'no-source',
        auth: { token },
        source: { uri: 'http://me:pw@host/?s=pw' },
      }),
      JSON.stringify(aRequest({ schema_version: '2.0' })),
      JSON.stringify(aRequest({ type: 'snapshot.destroy' })),
      '7',
    ];
    const good = aRequest();
    for (const message of broken) await compute.send(message, { correlationId: 'broken' });

    await expect(compute.ask(good)).resolves.toMatchObject({ status: 'accepted' });

    const letters = await buried(broken.length);
    const text = JSON.stringify(letters);
    expect(text).not.toContain('xxxx');
    expect(text).not.toContain('me:pw');
    expect(text).not.toContain('s=pw');
    expect(
      letters.every(({ reason, queue }) => reason !== 'unknown' && queue === 'glimpse.snapshots.requests'),
    ).toBe(true);
    const answers = compute.repliesTo('broken').map(({ body }) => body);
    expect(answers.map(({ request_id: id, status }) => [id, status])).toContainEqual([
      'no-source',
      'rejected',
    ]);
    // What nobody could read is answered by what its properties say.
    expect(answers).toHaveLength(broken.length);
    // Some have lost something with their secrets; the others are rejected again, and say the same.
    const { replayed, left } = await manage.deadLetters.replay('all');
    expect({ replayed, left: left.length }).toEqual({ replayed: 4, left: 4 });
    expect(left.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('auth, source.uri'));
    await buried(broken.length);
  });

  it.each([
    ['once more read', 20],
    ['not read any more', 23],
  ])('answers and buries what came back too often, %s', async (_how, deliveries) => {
    await serveRegistry();
    await start();
    const request = aRequest({ name: 'word '.repeat(10) });

    const reply = await compute.ask(request, { headers: { 'x-delivery-count': deliveries } });

    expect(reply).toMatchObject({
      status: 'rejected',
      request_id: deliveries === 20 ? request.request_id : null,
      error: { code: 'INTERNAL', message: expect.stringContaining(`came back ${deliveries} times`) },
    });
    const [letter] = await buried(1);
    expect(letter?.reason).toContain(`came back ${deliveries} times`);
    expect(registry.asked).toEqual([]);
  });

  it('carries out what came back too often, when the operator says so', async () => {
    await serveRegistry();
    await start();
    const [whole, secret] = [
      aRequest(),
      aRequest({ source: { uri: 'https://me:secret@host/disk?signature=secret' } }),
    ];
    const tooOften = { headers: { 'x-delivery-count': 20 } };
    for (const request of [whole, secret]) await compute.ask(request, tooOften);
    await buried(2);

    const { replayed, left } = await manage.deadLetters.replay('all');

    expect(replayed).toBe(1);
    expect(left).toEqual([{ id: expect.any(String), reason: expect.stringContaining('source.uri') }]);
    await waitFor('the request', () => registry.find(whole.request_id).length === 1);
    expect(registry.find(whole.request_id)[0]).toMatchObject({ isTrusted: true, ctx: { projectId: 'p' } });
    expect(registry.find(secret.request_id)).toEqual([]);
    await expect(manage.deadLetters.list(10)).resolves.toMatchObject([
      { notReplayable: expect.stringContaining('Let its sender repeat it') },
    ]);
  });

  it('sends no reply to a queue that is none for replies', async () => {
    await serveRegistry();
    await start();
    await compute.channel.assertQueue('conductor');

    await compute.send(aRequest(), { replyTo: 'conductor' });

    const [letter] = await buried(1);
    expect(letter?.reason).toContain('snapshots.reply_queues');
    await expect(compute.channel.checkQueue('conductor')).resolves.toMatchObject({ messageCount: 0 });
    expect(registry.asked).toEqual([]);
  });

  it('keeps a request while the registry is away, with who published it, and others are served meanwhile', async () => {
    await serveRegistry();
    await start();
    registry.failures.push(new ServiceError('DATABASE_UNAVAILABLE', 'away'), new Error('a mistake'));
    const [first, second, third] = [aRequest(), aRequest(), aRequest()];

    const correlationId = await compute.send(first);
    await waitFor('the first', () => registry.find(first.request_id).length === 1);
    const another = await compute.send(second);
    await waitFor('the second', () => registry.find(second.request_id).length === 1);
    await compute.ask(third);

    expect(compute.repliesTo(correlationId)).toEqual([]);
    await expect(compute.replyTo(correlationId)).resolves.toMatchObject({ status: 'accepted' });
    await expect(compute.replyTo(another)).resolves.toMatchObject({ status: 'accepted' });
    expect(registry.find(first.request_id).map(({ ctx }) => ctx.projectId)).toEqual(['p', 'p']);
  });

  it('connects again and answers what it had begun with', async () => {
    await start();
    const request = aRequest();
    const correlationId = await compute.send(request, { replyTo: undefined });
    await cutConnections(place.url);
    await compute.close();
    await serveRegistry();

    await waitFor('the request', () => registry.find(request.request_id).length > 0, 30_000);

    compute = await ComputeHost.open(place.url);
    const again = await compute.ask(request, { correlationId });
    expect(again).toMatchObject({ status: 'accepted' });
  });

  it('keeps a request whose token can not be checked now, and serves others meanwhile', async () => {
    await serveRegistry();
    await start({
      GLIMPSE_AUTH: 'keystone',
      // Nobody listens there.
      GLIMPSE_KEYSTONE_AUTH_URL: 'http://127.0.0.1:9/v3',
      GLIMPSE_KEYSTONE_USERNAME: 'glimpse',
      GLIMPSE_KEYSTONE_PASSWORD: 'secret',
      GLIMPSE_KEYSTONE_PROJECT_NAME: 'service',
      GLIMPSE_KEYSTONE_HTTP_REQUEST_MAX_RETRIES: '0',
      GLIMPSE_SNAPSHOTS_PREFETCH: '1',
    });
    const before = await retried();
    const waiting = await compute.send(aRequest({ auth: { token: 'token' } }));

    await expect(compute.ask(aRequest())).resolves.toMatchObject({ status: 'accepted' });

    // Twice: it has waited and come back.
    await waitFor('the second attempt', async () => (await retried()) >= before + 2);
    expect(compute.repliesTo(waiting)).toEqual([]);
    await expect(manage.deadLetters.list(1)).resolves.toEqual([]);
  });

  it('does not mind that nobody waits for the reply', async () => {
    await serveRegistry();
    await start({ GLIMPSE_SNAPSHOTS_PREFETCH: '1' });
    const gone = 'glimpse.snapshots.replies.gone';
    const [lost, next] = [aRequest(), aRequest()];

    await compute.send(lost, { replyTo: gone });

    await expect(compute.ask(next)).resolves.toMatchObject({ status: 'accepted' });
    expect(registry.find(lost.request_id)).toHaveLength(1);
  });

  it('hands on cancellations, and where the end is to be told', async () => {
    await serveRegistry();
    await start();
    const request = aRequest({ reply: 'completed' });

    const correlationId = await compute.send(request);
    await waitFor('the request', () => registry.find(request.request_id).length === 1);
    const cancel = { type: 'snapshot.cancel', request_id: request.request_id, project_id: 'p' };
    await expect(compute.ask(cancel)).resolves.toMatchObject({ request_id: request.request_id });

    expect(registry.cancelled).toEqual([request.request_id]);
    expect(registry.find(request.request_id)[0]?.replyTo).toEqual({
      exchange: '',
      routingKey: compute.replyQueue,
      correlationId,
      form: 'plain',
    });
    expect(compute.repliesTo(correlationId)).toEqual([]);
  });
});
