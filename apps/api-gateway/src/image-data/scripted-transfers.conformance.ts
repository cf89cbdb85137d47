import { once } from 'node:events';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HandleRpc, createBusStrategy } from '@glimpse/bus';
import { type Config, loadConfig } from '@glimpse/config';
import {
  type DownloadTicket,
  type RequestOf,
  type SentData,
  ServiceError,
  type UploadTicket,
  registryImages,
  registryInstances,
  registryNotifications,
} from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import type { RunningService } from '@glimpse/runtime';
import { startApiGateway } from '../bootstrap.js';

const LEASE_MS = 600;
export const OCTETS = { 'content-type': 'application/octet-stream' };

/** What the registry says in a test; replaced by the test that wants it otherwise. */
export const script = {
  calls: [] as string[],
  sent: [] as SentData[],
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

  @HandleRpc(registryNotifications.dataSent)
  async sent({ sent }: RequestOf<typeof registryNotifications.dataSent>): Promise<Record<string, never>> {
    script.sent.push(...sent);
    return {};
  }
}

@Module({ controllers: [ScriptedRegistry] })
class ScriptedModule {}

export let gateway: RunningService;
let registry: INestMicroservice;
let dataDir: string;
let runs = 0;

/** Starts a gateway and a registry of the script before each test, and ends them after it. */
export function withScriptedRegistry(): void {
  beforeEach(async () => {
    Object.assign(script, defaults, { calls: [], sent: [] });
    dataDir = await mkdtemp(join(tmpdir(), 'glimpse-transfers-'));
    const config: Config = loadConfig({
      GLIMPSE_PORT: '0',
      GLIMPSE_BUS_URL: `memory:scripted-transfers-${runs++}`,
      GLIMPSE_DATA_DIR: dataDir,
      GLIMPSE_LOG_LEVEL: 'silent',
      GLIMPSE_LEASES_INSTANCE_LEASE_MS: String(LEASE_MS),
      GLIMPSE_HTTP_IDLE_TIMEOUT_MS: '1000',
      GLIMPSE_NOTIFICATIONS_DRIVER: 'log',
      GLIMPSE_CACHE_DIR: join(dataDir, 'cache'),
      GLIMPSE_CACHE_STORES: 'file',
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
}

/** Fails with one code after the other, and then no more. */
export const fails =
  (...codes: ConstructorParameters<typeof ServiceError>[0][]) =>
  async () => {
    const code = codes.shift();
    if (code !== undefined) throw new ServiceError(code, `scripted ${code}`);
  };
/** Where the store keeps the data of an image. */
export const fileOf = (id: string) => join(dataDir, 'images', id);
export const isStored = (id: string) =>
  access(fileOf(id)).then(
    () => true,
    () => false,
  );

/** Begins a request for the image's data. */
export function open(method: string, headers: Record<string, string> = {}): ClientRequest {
  return httpRequest(`${gateway.url}/v2/images/i/file`, { method, headers, agent: false });
}

export async function statusOf(request: ClientRequest): Promise<number> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

/** Uploads it; gives the status of the answer. */
export function upload(body: string): Promise<number> {
  const request = open('PUT', OCTETS);
  request.end(body);
  return statusOf(request);
}

/** Takes the store's folder away. */
export const loseStore = () => rm(join(dataDir, 'images'), { recursive: true });

/** Whether anything of the image is in the store, finished or not. */
export async function isPartial(): Promise<boolean> {
  const names = await readdir(join(dataDir, 'images'), { recursive: true }).catch(() => []);
  return names.some((name) => name.includes('i'));
}

export const location = (name: string) => ({ url: `file://${fileOf(name)}`, metadata: {} });

export async function answerOf(headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const request = open('GET', headers);
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** Reads all of it; rejects where it breaks off. */
export async function download(headers: Record<string, string> = {}) {
  const response = await answerOf(headers);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

/** Downloads that broke off so far. */
export async function brokenDownloads(): Promise<number> {
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(
    /glimpse_transfers_total\{direction="out",outcome="TRANSFER_ABORTED"\} (\d+)/.exec(metrics)?.[1] ?? 0,
  );
}
