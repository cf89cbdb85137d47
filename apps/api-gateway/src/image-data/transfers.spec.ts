import { once } from 'node:events';
import { access, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HandleRpc, createBusStrategy } from '@glimpse/bus';
import { type Config, loadConfig } from '@glimpse/config';
import {
  type DownloadTicket,
  type RequestOf,
  ServiceError,
  type UploadTicket,
  registryImages,
  registryInstances,
} from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import type { RunningService } from '@glimpse/runtime';
import { waitFor } from '@glimpse/testing';
import { startApiGateway } from '../bootstrap.js';

const LEASE_MS = 600;
const OCTETS = { 'content-type': 'application/octet-stream' };

/** What the registry says in a test; replaced by the test that wants it otherwise. */
const script = {
  calls: [] as string[],
  heartbeat: async () => ({ leaseMs: LEASE_MS }),
  begin: async () => {},
  commit: async () => {},
  download: { imageId: 'i', size: 0, checksum: null, locations: [] } as DownloadTicket,
};
const defaults = { ...script };

@Controller()
class ScriptedRegistry {
  @HandleRpc(registryInstances.heartbeat)
  heartbeat(): Promise<{ leaseMs: number }> {
    return script.heartbeat();
  }

  @HandleRpc(registryInstances.release)
  async release(): Promise<Record<string, never>> {
    script.calls.push('release');
    return {};
  }

  @HandleRpc(registryImages.beginUpload)
  async begin(request: RequestOf<typeof registryImages.beginUpload>): Promise<UploadTicket> {
    await script.begin();
    const { id, uploadId, storeId } = request;
    return { imageId: id, uploadId, storeId, diskFormat: 'raw', containerFormat: 'bare' };
  }

  @HandleRpc(registryImages.commitUpload)
  async commit(): Promise<Record<string, never>> {
    script.calls.push('commit');
    await script.commit();
    return {};
  }

  @HandleRpc(registryImages.abortUpload)
  async abort({
    hasLeftovers,
  }: RequestOf<typeof registryImages.abortUpload>): Promise<Record<string, never>> {
    script.calls.push(hasLeftovers === true ? 'abort with leftovers' : 'abort');
    return {};
  }

  @HandleRpc(registryImages.openDownload)
  async download(): Promise<DownloadTicket> {
    return script.download;
  }
}

@Module({ controllers: [ScriptedRegistry] })
class ScriptedModule {}

let gateway: RunningService;
let registry: INestMicroservice;
let dataDir: string;
let runs = 0;

beforeEach(async () => {
  Object.assign(script, defaults, { calls: [] });
  dataDir = await mkdtemp(join(tmpdir(), 'glimpse-transfers-'));
  const config: Config = loadConfig({
    GLIMPSE_PORT: '0',
    GLIMPSE_BUS_URL: `memory:transfers-spec-${runs++}`,
    GLIMPSE_DATA_DIR: dataDir,
    GLIMPSE_LOG_LEVEL: 'silent',
    GLIMPSE_LEASES_INSTANCE_LEASE_MS: String(LEASE_MS),
    GLIMPSE_HTTP_IDLE_TIMEOUT_MS: '1000',
  });
  const strategy = createBusStrategy({
    service: 'registry',
    instanceId: 'scripted',
    url: config.busUrl,
    options: config.bus,
    logger: createLogger('scripted', { level: 'silent' }),
  });
  registry = await NestFactory.createMicroservice(ScriptedModule, { strategy, logger: false });
  await registry.listen();
  gateway = await startApiGateway(config);
});

afterEach(async () => {
  await gateway.close(0);
  await registry.close();
  await rm(dataDir, { recursive: true });
});

const fails =
  (...codes: ConstructorParameters<typeof ServiceError>[0][]) =>
  async () => {
    const code = codes.shift();
    if (code !== undefined) throw new ServiceError(code, `scripted ${code}`);
  };
const fileOf = (id: string) => join(dataDir, 'images', id);
const isStored = (id: string) =>
  access(fileOf(id)).then(
    () => true,
    () => false,
  );

function open(method: string, headers: Record<string, string> = {}): ClientRequest {
  return httpRequest(`${gateway.url}/v2/images/i/file`, { method, headers, agent: false });
}

async function statusOf(request: ClientRequest): Promise<number> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

function upload(body: string): Promise<number> {
  const request = open('PUT', OCTETS);
  request.end(body);
  return statusOf(request);
}

describe('An upload', () => {
  it('is stored and committed', async () => {
    expect(await upload('data')).toBe(204);
    expect(script.calls).toEqual(['commit']);
    expect(await isStored('i')).toBe(true);
  });

  it('that lost its race removes what it stored', async () => {
    script.commit = fails('IMAGE_LOST_RACE');

    expect(await upload('data')).toBe(410);
    expect(script.calls).toEqual(['commit', 'abort']);
    expect(await isStored('i')).toBe(false);
  });

  it('that its store may have kept in part is left to a worker', async () => {
    await rm(join(dataDir, 'images'), { recursive: true });

    expect(await upload('data')).toBe(503);
    expect(script.calls).toEqual(['abort with leftovers']);
  });

  it('that was taken for dead leaves its data to those who clean up', async () => {
    script.commit = fails('LEASE_LOST');

    expect(await upload('data')).toBe(410);
    expect(await isStored('i')).toBe(true);
  });

  it('commits again when it is not known what became of the first', async () => {
    script.commit = fails('DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE');

    expect(await upload('data')).toBe(204);
    expect(script.calls).toEqual(['commit', 'commit', 'commit']);
  });

  it('answers 503 when it is not known for long, touches nothing and goes on trying', async () => {
    let isBack = false;
    script.commit = () => (isBack ? Promise.resolve() : fails('DATABASE_UNAVAILABLE')());

    expect(await upload('data')).toBe(503);
    expect(script.calls).not.toContain('abort');
    expect(await isStored('i')).toBe(true);
    const tried = script.calls.length;
    isBack = true;
    await waitFor('another commit', async () => script.calls.length > tried);
  });

  it('whose beginning is uncertain is taken back', async () => {
    script.begin = fails('DATABASE_UNAVAILABLE');

    expect(await upload('data')).toBe(503);
    await waitFor('the abort', async () => script.calls.includes('abort'));
  });

  it('that is refused stores nothing', async () => {
    script.begin = fails('IMAGE_STATUS_CONFLICT');

    expect(await upload('data')).toBe(409);
    expect(script.calls).toEqual([]);
    expect(await isStored('i')).toBe(false);
  });

  it('is given up when no heartbeat got through for a whole lease', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    script.heartbeat = fails(...Array.from({ length: 100 }, () => 'DATABASE_UNAVAILABLE' as const)) as never;

    expect(await statusOf(request)).toBe(503);
    expect(await isStored('i')).toBe(false);
    expect(await isPartial()).toBe(false);
  });

  it('is ended when the client sends nothing for too long', async () => {
    const request = open('PUT', OCTETS);
    request.on('error', () => {});
    const closed = new Promise((resolve) => request.once('close', resolve));
    request.write('some');

    await closed;

    await waitFor('the abort', async () => script.calls.includes('abort'));
    expect(await isPartial()).toBe(false);
  });

  it('is finished while the service stops, and then the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    const closing = gateway.close(5_000);
    request.end(' data');

    expect(await statusOf(request)).toBe(204);
    await closing;
    expect(script.calls).toEqual(['commit', 'release']);
  });

  it('whose client is gone is taken back before the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.on('error', () => {});
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    request.destroy();
    await gateway.close(5_000);

    expect(script.calls).toEqual(['abort', 'release']);
    expect(await isPartial()).toBe(false);
  });

  it('that does not finish in time is given up before the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    const closing = gateway.close(0);

    expect(await statusOf(request)).toBe(503);
    await closing;
    expect(script.calls).toEqual(['abort', 'release']);
    expect(await isStored('i')).toBe(false);
  });
});

/** Whether anything of the image is in the store, finished or not. */
async function isPartial(): Promise<boolean> {
  const { readdir } = await import('node:fs/promises');
  const names = await readdir(join(dataDir, 'images'), { recursive: true }).catch(() => []);
  return names.some((name) => name.includes('i'));
}

describe('A download', () => {
  const location = (name: string) => ({ url: `file://${fileOf(name)}`, metadata: {} });

  beforeEach(async () => {
    await upload('0123456789');
  });

  const download = async (headers: Record<string, string> = {}) => {
    const request = open('GET', headers);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, text };
  };

  it('tries one location after the other', async () => {
    script.download = {
      imageId: 'i',
      size: 10,
      checksum: null,
      locations: [location('gone'), location('i')],
    };

    expect(await download({ range: 'bytes=2-4' })).toEqual({ status: 206, text: '234' });
  });

  it('of data that is lost is 204', async () => {
    script.download = { imageId: 'i', size: 10, checksum: null, locations: [location('gone')] };

    expect(await download()).toEqual({ status: 204, text: '' });
  });

  it('from a store that is not configured is 503', async () => {
    script.download = {
      imageId: 'i',
      size: 10,
      checksum: null,
      locations: [{ url: 'rbd://a/b', metadata: { store: 'ceph' } }],
    };

    expect((await download()).status).toBe(503);
  });

  it('breaks off when the store has less than there should be', async () => {
    script.download = { imageId: 'i', size: 11, checksum: null, locations: [location('i')] };

    await expect(download()).rejects.toThrow('aborted');
  });

  it('breaks off when the store has more than there should be', async () => {
    script.download = { imageId: 'i', size: 9, checksum: null, locations: [location('i')] };

    await expect(download()).rejects.toThrow(/aborted|hang up/);
  });

  it('is ended when the client reads nothing for too long', async () => {
    await writeFile(fileOf('large'), '');
    await truncate(fileOf('large'), 512 * 1024 * 1024);
    script.download = {
      imageId: 'i',
      size: 512 * 1024 * 1024,
      checksum: null,
      locations: [location('large')],
    };
    const before = await brokenDownloads();
    const request = open('GET');
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => {});

    await waitFor('the download to be ended', async () => (await brokenDownloads()) > before);

    response.destroy();
  });
});

async function brokenDownloads(): Promise<number> {
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(
    /glimpse_transfers_total\{direction="out",outcome="TRANSFER_ABORTED"\} (\d+)/.exec(metrics)?.[1] ?? 0,
  );
}
