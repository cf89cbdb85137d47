import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LiveEvents, RpcClient } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import { type Caller, ServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewaySettings } from '../gateway-settings.js';
import { ProgressController } from './progress.controller.js';
import type { Listed } from './progress-stream.js';
import { ProgressStreams } from './progress-streams.js';

const ID = '41004da8-2218-4453-9d1c-488d7b6eb026';
const nothing: Listed = {
  transfers: [],
  image: { id: ID, status: 'queued' },
  audience: { kind: 'project', projectId: 'p1' },
  tellsErrors: true,
};
const callerNamed = (userId: string): Caller => ({
  requestId: 'req-1',
  userId,
  projectId: 'p1',
  domainId: null,
  systemScope: null,
  roles: ['member'],
  serviceRoles: [],
});

/** Streams to real clients, of a registry that knows of nothing. */
describe('ProgressController', () => {
  let server: Server;
  let controller: ProgressController;
  let streams: ProgressStreams;
  let listeners: number;
  let list: () => Promise<Listed>;
  /** Whom the token says is calling when it is asked for again. */
  let identifyAgain: () => Promise<Caller | null>;

  beforeEach(async () => {
    listeners = 0;
    list = () => Promise.resolve(nothing);
    identifyAgain = () => Promise.resolve(callerNamed('one'));
    const live = {
      listen: () => {
        listeners += 1;
        return () => {
          listeners -= 1;
        };
      },
    };
    const config = loadConfig({ GLIMPSE_PROGRESS_STREAMS: '2', GLIMPSE_PROGRESS_STREAMS_PER_CALLER: '1' });
    const logger = createLogger('test', { level: 'silent' });
    const settings = new GatewaySettings(config, 'gateway', logger, new AbortController().signal);
    streams = new ProgressStreams(live as unknown as LiveEvents, settings);
    controller = new ProgressController({ call: () => list() } as unknown as RpcClient, streams, settings);
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    streams.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  /** A client that has asked; `shown` is what comes of it, `answer` what it gets. */
  async function ask(userId: string) {
    const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    client.on('error', () => undefined);
    const answered = once(client, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    const [, raw] = await asked;
    const request = { headers: {}, caller: callerNamed(userId), identifyAgain: () => identifyAgain() };
    const reply = { raw, getHeaders: () => ({}), hijack: () => undefined };
    const shown = controller.ofImage(
      ID,
      request as unknown as FastifyRequest,
      reply as unknown as FastifyReply,
    );
    return { client, shown, answer: () => answered.then(([answer]) => text(answer)) };
  }

  it('shows no more streams at once than there may be, and others again when one has ended', async () => {
    const first = await ask('one');
    await first.shown;
    await (
      await ask('two')
    ).shown;

    await expect((await ask('three')).shown).rejects.toMatchObject({ status: 503 });
    first.client.destroy();

    for (let shown = false; !shown;)
      shown = await (
        await ask('three')
      ).shown.then(
        () => true,
        () => false,
      );
  });

  it('counts no stream that was never opened, and listens only while there is one', async () => {
    list = () => Promise.reject(new ServiceError('IMAGE_NOT_FOUND', 'no'));
    for (let times = 0; times < 3; times += 1)
      await expect((await ask('one')).shown).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });

    expect(listeners).toBe(0);
    list = () => Promise.resolve(nothing);
    await (
      await ask('one')
    ).shown;
    expect(listeners).toBe(1);
    await expect((await ask('one')).shown).rejects.toMatchObject({ status: 429 });
  });

  it('ends a stream whose token is not valid any more', async () => {
    const { shown, answer } = await ask('one');
    await shown;
    identifyAgain = () => Promise.resolve(null);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 31_000);

    expect(await answer()).toContain('{"reason":"unauthorized"');
  });

  it('ends a stream whose rights could not be checked for two minutes', async () => {
    const { shown, answer } = await ask('one');
    await shown;
    identifyAgain = () => Promise.reject(new ServiceError('IDENTITY_UNAVAILABLE', 'no answer'));
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 121_000);

    expect(await answer()).toContain('{"reason":"unavailable"');
  });
});
