import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import type { RunningService } from '@glimpse/runtime';
import { type OwnPlace, createUser, createVirtualHost, requestsAreTaken, waitFor } from '@glimpse/testing';
import { permissionsOf } from '@glimpse/bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiGateway } from '../bootstrap.js';
import { RegistryUnderTest, serve } from './registry-under-test.conformance.js';

const PYTHON = process.env['GLIMPSE_TEST_PYTHON'] ?? '/usr/bin/python3';
const PROGRAM = 'test/compat/python/oslo_snapshots.py';

interface Step {
  readonly method: string;
  readonly args: object;
  readonly cast?: boolean;
  readonly context?: object;
  readonly version?: string;
  readonly namespace?: string;
}

describe("oslo.messaging's own RPC client", () => {
  let place: OwnPlace;
  let oslo: OwnPlace;
  let dataDir: string;
  let endRegistry: () => Promise<void>;
  let gateway: RunningService;
  const registry = new RegistryUnderTest();

  beforeAll(async () => {
    place = await createVirtualHost();
    oslo = await createUser(place.url, permissionsOf('compute-oslo'));
    dataDir = await mkdtemp(join(tmpdir(), 'glimpse-oslo-'));
    const busUrl = `memory:${randomUUID()}`;
    endRegistry = await serve(registry, busUrl);
    gateway = await startApiGateway(
      loadConfig({
        GLIMPSE_PORT: '0',
        GLIMPSE_AUTH: 'headers',
        GLIMPSE_BUS_URL: busUrl,
        GLIMPSE_DATA_DIR: dataDir,
        GLIMPSE_LOG_LEVEL: 'silent',
        GLIMPSE_SNAPSHOTS_BUS_URL: place.url,
        GLIMPSE_SNAPSHOTS_TRUSTED_PUBLISHERS: '*',
        GLIMPSE_SNAPSHOTS_TRANSIENT_EXCHANGE: 'true',
      }),
    );
    await requestsAreTaken(place.url);
  });
  afterAll(async () => {
    await gateway.close(0);
    await endRegistry();
    await oslo.remove();
    await place.remove();
    await rm(dataDir, { recursive: true });
  });

  const run = async (steps: readonly Step[], options: object = {}): Promise<Record<string, unknown>[]> => {
    const all = {
      url: oslo.url.replace(/^amqp:/, 'rabbit:'),
      driver: { amqp_durable_queues: true },
      steps,
      ...options,
    };
    const { stdout } = await promisify(execFile)(PYTHON, [PROGRAM, JSON.stringify(all)], {
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', PYTHONPATH: dataDir },
      timeout: 60_000,
    });
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const context = { project_id: 'p', user_id: 'u', roles: ['Member'], auth_token: 'not-looked-at' };
  const aRequest = (requestId: string = randomUUID()) => ({
    request_id: requestId,
    instance_id: 'i',
    name: 'n',
    source: { uri: 'file:///disk' },
  });

  it('calls and casts, with the identity of its context', async () => {
    const [called, cast] = [aRequest(), aRequest()];

    const [first, second, third, fourth] = await run([
      { method: 'create_snapshot', args: { request: called }, context },
      { method: 'create_snapshot', args: { request: cast }, context, cast: true, namespace: 'snapshots' },
      { method: 'get_snapshot', args: { request_id: called.request_id }, context },
      { method: 'cancel_snapshot', args: { request_id: called.request_id }, context },
    ]);

    expect(first).toMatchObject({ result: { status: 'accepted', request_id: called.request_id } });
    expect(second).toEqual({ cast: true });
    expect(third).toEqual(first);
    expect(fourth).toMatchObject({ result: { request_id: called.request_id } });
    await waitFor('the cast', () => registry.find(cast.request_id).length === 1);
    expect(registry.find(called.request_id)[0]).toMatchObject({
      ctx: { projectId: 'p', userId: 'u', roles: ['member'] },
    });
    expect(registry.cancelled).toContain(called.request_id);
  });

  it.each([
    ['quorum queues', { rabbit_quorum_queue: true }, 'glimpse.snapshots'],
    ['the exchange that is not durable', { amqp_durable_queues: false }, 'glimpse.snapshots.transient'],
    ['compression', { amqp_durable_queues: true, kombu_compression: 'gzip' }, 'glimpse.snapshots'],
  ])('works with %s', async (_what, driver, exchange) => {
    const request = aRequest();

    const [answer] = await run([{ method: 'create_snapshot', args: { request }, context }], {
      driver,
      exchange,
    });

    expect(answer).toMatchObject({ result: { status: 'accepted', request_id: request.request_id } });
  });

  it('raises what was refused as remote exceptions', async () => {
    const refusals = [
      new ServiceError('QUOTA_EXCEEDED', 'Too many images'),
      new ServiceError('ACTION_FORBIDDEN', 'Not you'),
    ];
    registry.failures.push(...refusals);
    await mkdir(join(dataDir, 'glimpse'), { recursive: true });
    await writeFile(join(dataDir, 'glimpse', '__init__.py'), '');
    await writeFile(
      join(dataDir, 'glimpse', 'exceptions.py'),
      'class ActionForbidden(Exception):\n    pass\n',
    );

    const [quota, forbidden, invalid, method, version, namespace, unknown] = await run(
      [
        { method: 'create_snapshot', args: { request: aRequest() }, context },
        { method: 'create_snapshot', args: { request: aRequest() }, context },
        { method: 'create_snapshot', args: { request: { request_id: 'x' } }, context },
        { method: 'delete_everything', args: {}, context },
        { method: 'create_snapshot', args: { request: aRequest() }, context, version: '2.0' },
        { method: 'create_snapshot', args: { request: aRequest() }, context, namespace: 'compute' },
        { method: 'get_snapshot', args: { request_id: 'unknown' }, context },
      ],
      { allowed: ['glimpse.exceptions', 'oslo_messaging.rpc.dispatcher'] },
    );

    // A class that the caller does not have comes as what the library makes of it.
    expect(quota).toMatchObject({
      raised: 'RemoteError',
      exc_type: 'QuotaExceeded',
      value: 'Too many images',
    });
    expect(forbidden).toMatchObject({
      bases: expect.arrayContaining(['ActionForbidden']),
      text: expect.stringContaining('Not you'),
    });
    expect(invalid).toMatchObject({
      exc_type: 'RequestInvalid',
      value: expect.stringContaining('instance_id'),
    });
    expect(method).toMatchObject({
      raised: 'NoSuchMethod_Remote',
      text: expect.stringContaining('RPC method delete_everything'),
    });
    expect(version).toMatchObject({ raised: 'UnsupportedVersion_Remote' });
    expect(namespace).toMatchObject({ raised: 'UnsupportedVersion_Remote' });
    expect(unknown).toMatchObject({ exc_type: 'SnapshotNotFound' });
  });
});
