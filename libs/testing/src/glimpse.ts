import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reportFailure } from './failure-report.js';
import { ServiceProcess } from './service-process.js';
import { type OwnPlace, createDatabase, createVirtualHost } from './test-servers.js';
import { waitFor } from './wait-for.js';

export type Mode = 'embedded' | 'distributed';
export type ServiceName = 'api-gateway' | 'registry' | 'store-worker' | 'embedded';

export interface GlimpseOptions {
  readonly mode?: Mode;
  readonly auth?: 'none' | 'headers' | 'keystone';
  /** More of the configuration, e.g. `{ GLIMPSE_LIMITS_TAG_QUOTA: '3' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** More of the configuration of single services in distributed mode. */
  readonly envOf?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
  /** Processes of each service in distributed mode. */
  readonly replicas?: number;
}

const dist = join(process.cwd(), 'dist', 'apps');
const mainOf = (service: ServiceName | 'manage') => join(dist, service, 'src', 'main.js');

const STOP_TIMEOUT_MS = 15_000;
const READY_TIMEOUT_MS = 60_000;

/** By this `npm test` finds processes that a broken-off test has left behind. */
const RUN_MARK = 'GLIMPSE_TEST_RUN';

/** The machine's environment without what configures some other Glimpse or Jest. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string) => !/^(GLIMPSE_|NODE_OPTIONS$)/.test(name) || name === RUN_MARK;
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => isOurs(name))),
    // As `npm start` and the container give it to the services.
    NODE_OPTIONS: '--max-semi-space-size=16',
  };
}

/** Runs a command of `glimpse-manage` with that configuration; resolves with its standard output. */
export async function runManage(env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [mainOf('manage'), ...args], {
    env: { ...cleanEnvironment(), ...env },
  });
  return stdout;
}

/** A whole Glimpse of real processes with a data directory, a database and a virtual host of its own. */
export class Glimpse {
  private readonly processes: ServiceProcess[] = [];

  constructor(
    readonly mode: Mode,
    readonly dataDir: string,
    /** The configuration that its processes were given. */
    readonly env: Readonly<Record<string, string>>,
    private readonly places: OwnPlace[],
    private readonly envOf: GlimpseOptions['envOf'] = {},
  ) {}

  /** Where the first running API listens. */
  get url(): string {
    const [url] = this.urls;
    if (url === undefined) throw new Error('No API is running');
    return url;
  }

  /** Where the running APIs listen. */
  get urls(): string[] {
    return this.running(this.apiService).map((service) => service.url);
  }

  /** The directory in which the default store keeps the images. */
  get storeDir(): string {
    return join(this.dataDir, 'images');
  }

  /** The running processes of a service, oldest first. In embedded mode every service is the one process. */
  running(service: ServiceName): ServiceProcess[] {
    const name = this.mode === 'embedded' ? 'embedded' : service;
    return this.processes.filter((running) => running.name === name && running.isRunning);
  }

  /** Starts one more process of a service and waits until it listens. */
  async start(service: ServiceName): Promise<ServiceProcess> {
    const name = this.mode === 'embedded' ? 'embedded' : service;
    const started = await ServiceProcess.start(name, mainOf(name), {
      ...cleanEnvironment(),
      ...this.env,
      ...this.envOf?.[name],
    });
    this.processes.push(started);
    return started;
  }

  /** Ends the oldest running process of a service with `signal`, and waits until it is gone. */
  async kill(service: ServiceName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const [oldest] = this.running(service);
    if (oldest === undefined) throw new Error(`No ${service} is running`);
    await oldest.kill(signal);
  }

  /** Waits until every API says that it is ready. */
  async ready(): Promise<void> {
    for (const url of this.urls)
      await waitFor(`${url}/readyz`, async () => (await fetch(`${url}/readyz`)).ok, READY_TIMEOUT_MS);
  }

  /** Runs a command of `glimpse-manage` with the same configuration; resolves with its standard output. */
  manage(...args: string[]): Promise<string> {
    return runManage(this.env, ...args);
  }

  /** The last lines of every process, each under its name. */
  get logs(): string {
    return this.processes.map((service) => `--- ${service.name} (${service.pid})\n${service.log}`).join('\n');
  }

  /** Ends everything, in the order in which a deployment would, and removes what it kept. Repeatable. */
  async stop(): Promise<void> {
    for (const service of ['embedded', 'api-gateway', 'store-worker', 'registry'] as const)
      await Promise.all(
        this.processes.filter(({ name }) => name === service).map((running) => running.stop(STOP_TIMEOUT_MS)),
      );
    reportFailure(() => this.logs);
    await rm(this.dataDir, { recursive: true, force: true });
    await Promise.all(this.places.splice(0).map((place) => place.remove()));
  }

  private get apiService(): ServiceName {
    return this.mode === 'embedded' ? 'embedded' : 'api-gateway';
  }
}

async function placesFor(mode: Mode): Promise<{ places: OwnPlace[]; env: Record<string, string> }> {
  if (mode === 'embedded') return { places: [], env: {} };
  const database = await createDatabase();
  const bus = await createVirtualHost();
  return { places: [database, bus], env: { GLIMPSE_DATABASE_URL: database.url, GLIMPSE_BUS_URL: bus.url } };
}

/** Starts a Glimpse and waits until it is ready. Whoever starts it stops it. */
export async function startGlimpse(options: GlimpseOptions = {}): Promise<Glimpse> {
  const mode = options.mode ?? 'embedded';
  const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-test-'));
  const { places, env } = await placesFor(mode);
  const glimpse = new Glimpse(
    mode,
    dataDir,
    {
      GLIMPSE_PORT: '0',
      GLIMPSE_REGISTRY_PORT: '0',
      GLIMPSE_STORE_WORKER_PORT: '0',
      GLIMPSE_DATA_DIR: dataDir,
      GLIMPSE_AUTH: options.auth ?? 'none',
      ...env,
      ...options.env,
    },
    places,
    options.envOf,
  );
  try {
    if (mode === 'embedded') await glimpse.start('embedded');
    else await startServices(glimpse, options.replicas ?? 1);
    await glimpse.ready();
  } catch (error) {
    const logs = glimpse.logs;
    await glimpse.stop();
    throw new Error(`Glimpse did not start:\n${logs}`, { cause: error });
  }
  return glimpse;
}

async function startServices(glimpse: Glimpse, replicas: number): Promise<void> {
  for (const service of ['registry', 'store-worker', 'api-gateway'] as const)
    await Promise.all(Array.from({ length: replicas }, () => glimpse.start(service)));
}
