import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  type ClaimedJob,
  type ImageLocation,
  type JobKind,
  type ReconcileReport,
  type RequestOf,
  type RpcDefinition,
  STAGING_STORE,
  type StoredData,
  attemptIdOf,
  isServiceError,
  jobPayloadOf,
  registryReconcile,
} from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { type RunRequest, queueReconcileRun } from '@glimpse/persistence';
import { ProgressMeter } from '@glimpse/pipeline';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import { DeleteDataJob } from '../../../store-worker/src/jobs/delete-data.job.js';
import { ReconcileJob } from '../../../store-worker/src/jobs/reconcile/reconcile.job.js';
import {
  type DatabasePlace,
  FakeClock,
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  startRegistryOn,
} from '../registry-harness.conformance.js';

const logger = createLogger('test', { level: 'silent' });
const never = new AbortController().signal;
const ctx = aCaller('p1');

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** A comparison that repairs; `atOnce` waits for nothing. */
export const repair = { repair: true, discard: true, graceMs: DAY, keepMs: 7 * DAY };
export const atOnce = { ...repair, graceMs: 0 };

/** Thrown where a process is to die: nothing that follows in it happens. */
export class Died extends Error {}

/** What is asked before each step of what happens at the same time; it may wait, or die. */
export type Step = () => Promise<void>;

/** A registry and its stores, and what processes do with both. */
export class ReconcileWorld {
  private constructor(
    readonly registry: RegistryUnderTest,
    readonly stores: StoreRegistry,
    readonly folder: string,
    private readonly place: DatabasePlace,
  ) {}

  static async open(makePlace: () => Promise<DatabasePlace>): Promise<ReconcileWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'glimpse-reconcile-'));
    const place = await makePlace();
    const datadir = (name: string) => ({ type: 'file', datadir: join(folder, name) });
    // The files' times are those of the system.
    const clock = new FakeClock();
    clock.pass(Date.now() - clock.now());
    const environment = {
      GLIMPSE_STORES: JSON.stringify({ fast: datadir('fast'), slow: datadir('slow'), web: { type: 'http' } }),
      GLIMPSE_STAGING: JSON.stringify(datadir('staging')),
      GLIMPSE_DEFAULT_STORE: 'fast',
    };
    const registry = await startRegistryOn(place.url, environment, clock);
    return new ReconcileWorld(registry, createStores(registry.config, logger), folder, place);
  }

  async close(): Promise<void> {
    await this.stores.close();
    await this.registry.close();
    await this.place.remove();
    await rm(this.folder, { recursive: true });
  }

  /** Empties the stores, and forgets what was in them. */
  async reset(): Promise<void> {
    for (const store of ['fast', 'slow', 'staging']) {
      await rm(this.pathOf(store, ''), { recursive: true });
      await mkdir(this.pathOf(store, ''));
    }
    await this.registry.database.unitOfWork.run(async (tx) => {
      for (const table of [
        'jobs',
        'leases',
        'reconcile_runs',
        'store_findings',
        'quarantined_objects',
        'location_checks',
        'image_locations',
      ])
        await tx.execute(`DELETE FROM ${table}`);
    });
  }

  async create(): Promise<string> {
    return (await this.registry.images.create(ctx, aNewImage())).id;
  }

  /** An image that has data. */
  async anImage(text = 'live data of it'): Promise<string> {
    const id = await this.create();
    await this.upload(id, Buffer.from(text));
    return id;
  }

  pathOf(storeId: string, name: string): string {
    return join(this.folder, storeId, name);
  }

  /** Puts a file where a store keeps its own, past the service. */
  async plant(storeId: string, name: string, text = 'planted', ageMs = 0): Promise<string> {
    const path = this.pathOf(storeId, name);
    await writeFile(path, text);
    const at = (this.registry.clock.now() - ageMs) / 1000;
    await utimes(path, at, at);
    return `file://${path}`;
  }

  /** What an upload does; dies with `step`. */
  async upload(imageId: string, data: Buffer, step: Step = async () => {}): Promise<void> {
    const uploadId = randomUUID();
    const upload = { ctx, id: imageId, uploadId };
    await step();
    await this.registry.data.beginUpload({
      ...upload,
      instanceId: 'gateway',
      storeId: 'fast',
      size: null,
    });
    async function* pieces() {
      yield data.subarray(0, 10);
      await step();
      yield data.subarray(10);
    }
    try {
      await step();
      const stored = await this.stores.get('fast').write(imageId, Readable.from(pieces()), { uploadId });
      await step();
      const described = describe(data, this.stores.toImageLocation('fast', stored));
      await this.registry.data.commitUpload({ ...upload, stored: described });
    } catch (error) {
      if (error instanceof Died) throw error;
      if (isServiceError(error, 'LEASE_LOST')) return;
      await this.registry.data.abortUpload({ ...upload, reason: 'failed', hasLeftovers: true });
    }
  }

  /** As the process that received data and died before its last byte. */
  async strand(imageId: string): Promise<string> {
    return this.plant('fast', `.${imageId}.${randomUUID()}.part`);
  }

  async beginCopy(imageId: string): Promise<void> {
    await this.registry.imports.begin(ctx, imageId, {
      method: { name: 'copy-image' },
      stores: ['slow'],
      headerStore: null,
      allStores: false,
      allStoresMustSucceed: true,
      body: {},
    });
  }

  async remove(imageId: string): Promise<void> {
    await this.registry.images.delete(ctx, imageId);
  }

  /** What the locations of the image hold; undefined where the image has gone in the meantime. */
  async read(imageId: string, step: Step = async () => {}): Promise<Buffer[] | undefined> {
    await step();
    const before = await this.urlsOf(imageId);
    const found: Buffer[] = [];
    for (const url of before) {
      await step();
      try {
        found.push(await this.contentOf(url));
      } catch (error) {
        if (!isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) throw error;
        if ((await this.urlsOf(imageId)).includes(url)) throw error;
        return undefined;
      }
    }
    return found;
  }

  async contentOf(url: string): Promise<Buffer> {
    const { driver, location } = this.stores.resolve({ url, metadata: {} });
    const chunks: Buffer[] = [];
    for await (const chunk of await driver.read(location, {})) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  async urlsOf(imageId: string): Promise<string[]> {
    const rows = await this.registry.rows('image_locations', `image_id = '${imageId}' AND deleted = 0`);
    return rows.map(({ value }) => value);
  }

  /** Everything in the stores, with what was set aside. */
  async listAll(): Promise<{ urls: string[]; aside: string[] }> {
    const urls: string[] = [];
    const aside: string[] = [];
    for (const id of ['fast', 'slow', STAGING_STORE]) {
      const { inventory } = this.stores.get(id);
      for await (const { location } of inventory?.list({}) ?? []) urls.push(location.uri);
      for await (const { origin } of inventory?.listSetAside({}) ?? []) aside.push(origin.uri);
    }
    return { urls: urls.toSorted(), aside: aside.toSorted() };
  }

  async ask(storeId: string, more: Partial<RunRequest> = {}): Promise<string> {
    const request: RunRequest = {
      storeId,
      scope: 'store',
      repair: false,
      discard: false,
      graceMs: 0,
      keepMs: 0,
      soleOwner: false,
      ...more,
    };
    const { unitOfWork } = this.registry.database;
    return (await unitOfWork.run((tx) => queueReconcileRun(tx, request, this.registry.clock.now()))).runId;
  }

  /** Has the comparison done, and answers with its report. */
  async compare(storeId: string, more: Partial<RunRequest> = {}): Promise<ReconcileReport> {
    const runId = await this.ask(storeId, more);
    await this.work(['reconcile']);
    const [run] = await this.registry.rows('reconcile_runs', `id = '${runId}'`);
    if (run?.report === undefined || run.report === null) throw new Error(`It failed: ${run?.error}`);
    return JSON.parse(run.report) as ReconcileReport;
  }

  /** What a store-worker does until no job is due. */
  async work(
    kinds: JobKind[] = ['reconcile', 'import', 'delete-data'],
    step: Step = async () => {},
  ): Promise<void> {
    for (;;) {
      await step();
      const [job] = await this.registry.jobs.claim({ instanceId: 'worker', kinds, limit: 1 });
      if (job === undefined) return;
      await this.attempt(job, step);
    }
  }

  private async attempt(job: ClaimedJob, step: Step): Promise<void> {
    const held = { jobId: job.id, leaseToken: job.leaseToken };
    try {
      const result = await this.handle(job, step);
      await step();
      await this.registry.jobs.complete({ ...held, result });
    } catch (error) {
      if (error instanceof Died || isServiceError(error, 'LEASE_LOST')) throw error;
      const wire = isServiceError(error) ? error.toWire() : { code: 'INTERNAL', message: String(error) };
      await this.registry.jobs.fail({ ...held, error: wire, isRetryable: true });
    }
  }

  private handle(job: ClaimedJob, step: Step): Promise<unknown> {
    const lease = { jobId: job.id, leaseToken: job.leaseToken };
    const context = { signal: never, progress: new ProgressMeter('waiting'), attempt: job.attempt, lease };
    if (job.kind === 'import') return this.copy(job, step);
    const stores = this.stepping(step);
    if (job.kind === 'reconcile') {
      const handler = new ReconcileJob({ call: this.calls(step) }, stores, logger);
      return handler.run(jobPayloadOf('reconcile', job.payload), context);
    }
    const handler = new DeleteDataJob(stores, logger);
    return handler.run(jobPayloadOf('delete-data', job.payload), context);
  }

  private async copy(job: ClaimedJob, step: Step): Promise<unknown> {
    const { imageId, importId, source } = jobPayloadOf('import', job.payload);
    if (source.kind !== 'copy') throw new Error('Only copies are made here');
    const slow = this.stores.get('slow');
    for (let earlier = 1; earlier < job.attempt; earlier++)
      await slow.removeLeftovers(imageId, attemptIdOf(importId, earlier), {});
    const data = await this.contentOf(source.locations[0]?.url ?? '');
    await step();
    const uploadId = attemptIdOf(importId, job.attempt);
    const stored = await slow.write(imageId, Readable.from([data]), { uploadId });
    const { location: _location, ...known } = describe(data, { url: '', metadata: {} });
    const location = this.stores.toImageLocation('slow', stored);
    return { data: known, stored: [{ storeId: 'slow', location }], failed: [] };
  }

  /** The registry's answers, as a worker gets them. */
  private calls(step: Step) {
    const { reconcile } = this.registry;
    return async <D extends RpcDefinition>(definition: D, request: RequestOf<D>): Promise<never> => {
      await step();
      const verb = Object.entries(registryReconcile).find(
        ([, { pattern }]) => pattern === definition.pattern,
      );
      const method = verb?.[0] as keyof typeof registryReconcile;
      const answer: unknown = await reconcile[method](definition.request.parse(request) as never);
      return definition.response.parse(answer) as never;
    };
  }

  /** The stores, with a step before each object is touched. */
  private stepping(step: Step): StoreRegistry {
    const { stores } = this;
    const paused = <T extends object>(target: T, names: readonly (keyof T)[]): T =>
      new Proxy(target, {
        get: (object, name) => {
          const value: unknown = Reflect.get(object, name);
          if (typeof value !== 'function') return value;
          if (!names.includes(name as keyof T)) return value.bind(object) as unknown;
          return async (...values: unknown[]) => {
            await step();
            return (await Reflect.apply(value, object, values)) as unknown;
          };
        },
      });
    return new Proxy(stores, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (name !== 'get' && name !== 'find')
          return typeof value === 'function' ? (value.bind(object) as unknown) : value;
        return (id: string) => {
          const driver = stores.get(id);
          const inventory = driver.inventory && paused(driver.inventory, ['setAside', 'putBack', 'discard']);
          const stepped = paused(driver, ['delete', 'removeLeftovers']);
          return new Proxy(stepped, {
            get: (inner, key) => (key === 'inventory' ? inventory : (Reflect.get(inner, key) as unknown)),
          });
        };
      },
    });
  }

  /** Time goes by, in steps in which the registry looks around as it does in life. */
  async passTime(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5_000) {
      this.registry.clock.pass(5_000);
      await this.registry.reaper.look();
    }
  }
}

const describe = (data: Buffer, location: ImageLocation): StoredData => ({
  location,
  size: data.length,
  virtualSize: null,
  checksum: createHash('md5').update(data).digest('hex'),
  osHashAlgo: 'sha512',
  osHashValue: createHash('sha512').update(data).digest('hex'),
});
