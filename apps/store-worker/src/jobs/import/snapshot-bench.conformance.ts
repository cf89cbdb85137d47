import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, loadConfig } from '@glimpse/config';
import { type ImportStep, type JobPayload, type JobResult, attemptIdOf } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ProgressMeter, TransferPipeline } from '@glimpse/pipeline';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import type { ImportSteps } from '../../conversion/import-steps.js';
import { startImportSteps } from '../../conversion/start-import-steps.js';
import type { JobContext } from '../../runner/job-handler.js';
import { AllowedAddresses } from './allowed-addresses.js';
import { GlanceSource } from './glance-source.js';
import { ImportJob } from './import.job.js';
import { ImportSources } from './import-sources.js';
import { SnapshotParents } from './snapshot-parent.js';
import { SnapshotSource } from './snapshot-source.js';
import { WebRequests } from './web-request.js';
import { WebSource } from './web-source.js';

type Source = Extract<JobPayload<'import'>['source'], { kind: 'snapshot' }>;
export type Incremental = NonNullable<Source['incremental']>;
export type ImportEnd = JobResult<'import'>;

/** The caller on whose behalf it is; nothing of the worker looks at it. */
const ctx = {
  requestId: 'req-1',
  userId: 'user',
  projectId: 'project',
  domainId: null,
  systemScope: null,
  roles: [],
  serviceRoles: [],
};

/** What is different about a snapshot. */
export interface AskedSnapshot extends Partial<Pick<Source, 'format' | 'connections' | 'incremental'>> {
  readonly steps?: readonly ImportStep[];
  readonly attempt?: number;
  readonly importId?: string;
  readonly signal?: AbortSignal;
  readonly progress?: ProgressMeter;
}

/** The whole of an import, of real parts, with a folder that disks may be read from. */
export class SnapshotBench {
  /** Everything that the tests write; the disks are in `disks` below. */
  readonly folder = mkdtempSync(join(tmpdir(), 'glimpse-snapshot-'));
  readonly disks = join(this.folder, 'disks');
  /** What was logged of the disks that were read. */
  readonly logged: Record<string, unknown>[] = [];
  /** What was warned of. */
  readonly warned: string[] = [];
  private readonly pipeline = new TransferPipeline();
  private stores!: StoreRegistry;
  private steps!: ImportSteps;
  private job!: ImportJob;
  private stop: () => void = () => undefined;

  async open(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    mkdirSync(this.disks);
    const config = loadConfig({
      GLIMPSE_DATA_DIR: join(this.folder, 'data'),
      GLIMPSE_SNAPSHOTS_FILE_ROOTS: this.disks,
      ...environment,
    });
    const logger = createLogger('test', { level: 'silent' });
    logger.info = (entry: Record<string, unknown>) => void this.logged.push(entry);
    logger.warn = (_entry: unknown, what?: string) => void this.warned.push(what ?? '');
    this.stores = createStores(config, logger);
    const { importSteps, scratch, converter, stop } = await startImportSteps(config, logger);
    this.stop = stop;
    this.steps = importSteps;
    const parents = new SnapshotParents(this.stores, scratch, converter);
    const sources = sourcesOf(config, this.stores, new SnapshotSource(config.snapshots, parents, logger));
    this.job = new ImportJob(this.stores, sources, this.steps, this.pipeline, config, logger);
  }

  async close(): Promise<void> {
    this.stop();
    await this.pipeline.close();
    await this.stores.close();
    rmSync(this.folder, { recursive: true });
  }

  /** A name in the folder that disks may be read from. */
  path(name: string): string {
    return join(this.disks, name);
  }

  /** A disk of 16 MiB, of which a little is not zeros, and every byte of that little tells where it is. */
  disk(name: string, format: 'raw' | 'qcow2' = 'raw'): string {
    const path = this.path(name);
    run('qemu-img', 'create', '-q', '-f', format, path, '16M');
    this.write(path, format, 'write -P 17 1M 3M', 'write -P 34 10M 64k');
    return path;
  }

  write(path: string, format: 'raw' | 'qcow2', ...commands: string[]): void {
    run('qemu-io', '-f', format, ...commands.flatMap((command) => ['-c', command]), path);
  }

  /** What is on a disk of any format, as a hash of its bytes. */
  async hashOf(path: string, format: string): Promise<string> {
    const raw = join(this.folder, `${randomUUID()}.raw`);
    run('qemu-img', 'convert', '-f', format, '-O', 'raw', path, raw);
    return hashOfFile(raw);
  }

  /** Makes an image of the disk at `uri`. */
  async snapshot(uri: string, asked: AskedSnapshot = {}): Promise<ImportEnd> {
    const { format = 'raw', connections = 4, incremental = null, steps = [], attempt = 1 } = asked;
    const { importId = randomUUID(), progress = new ProgressMeter('waiting') } = asked;
    const payload: JobPayload<'import'> = {
      imageId: randomUUID(),
      taskId: randomUUID(),
      importId,
      ctx,
      source: { kind: 'snapshot', uri, format, connections, incremental },
      storeIds: ['file'],
      allMustSucceed: true,
      diskFormat: format,
      containerFormat: 'bare',
      sizeCap: 2 ** 40,
      steps: [...steps],
    };
    const context: JobContext = {
      signal: asked.signal ?? new AbortController().signal,
      progress,
      attempt,
      lease: { jobId: 'job', leaseToken: 'token' },
    };
    return this.job.run(payload, context);
  }

  /** Makes an image and says where its data is; throws with the reason where there is none. */
  async stored(uri: string, asked: AskedSnapshot = {}): Promise<{ path: string; end: ImportEnd }> {
    const end = await this.snapshot(uri, asked);
    const url = end.stored[0]?.location.url;
    if (url === undefined) throw new Error(end.failed[0]?.reason);
    return { path: fileURLToPath(url), end };
  }

  /** The reason for which nothing came of it. */
  async refusal(uri: string, asked: AskedSnapshot = {}): Promise<string> {
    const { stored, failed } = await this.snapshot(uri, asked);
    return stored.length > 0 ? 'it was stored' : (failed[0]?.reason ?? '');
  }

  /** An image as the parent of an incremental snapshot. */
  parentOf({ end }: { end: ImportEnd }, diskFormat: string): Incremental['parent'] {
    const { data, stored } = end;
    if (data === null) throw new Error('There is no such image');
    const { size, checksum, osHashAlgo, osHashValue } = data;
    return {
      imageId: randomUUID(),
      locations: stored.map(({ location }) => location),
      diskFormat,
      known: { size, checksum, osHashAlgo, osHashValue },
    };
  }

  /** The folder of scratch space of an attempt. */
  scratchOf(importId: string, attempt: number): string {
    return join(this.folder, 'data', 'scratch', attemptIdOf(importId, attempt));
  }
}

function sourcesOf(config: Config, stores: StoreRegistry, snapshots: SnapshotSource): ImportSources {
  const { webDownload } = config.import;
  const requests = new WebRequests(webDownload, new AllowedAddresses(webDownload.allowedAddresses));
  const web = new WebSource(requests, webDownload);
  return new ImportSources(stores, web, new GlanceSource(requests, web, []), snapshots);
}

export const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
