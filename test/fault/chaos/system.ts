import type { Mode, ServiceName } from '@glimpse/testing';
import { Glimpse, type ServiceProcess, TcpProxy, waitFor } from '@glimpse/testing';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storeNames } from './life-plan.js';
import { OwnServers } from './own-servers.js';

/** Whoever starts a process that waits for a dead database tries for as long. */
const COMEBACK_TIMEOUT_MS = 120_000;

const LAST_WORDS = 2_000;

const services = ['registry', 'store-worker', 'api-gateway'] as const;
export type Service = (typeof services)[number];

/** The ways between the services and the servers: what can be cut. */
export const wayNames = ['registry-bus', 'store-worker-bus', 'api-gateway-bus', 'database'] as const;
export type WayName = (typeof wayNames)[number];

/** A place for one process of a service, which is filled again after each death. */
class Slot {
  private process: ServiceProcess | undefined;
  private readonly ends: string[] = [];

  constructor(
    readonly service: ServiceName,
    private readonly glimpse: Glimpse,
  ) {}

  /** Starts the process, again and again while it can not be, as a supervisor does; resolves when it is ready. */
  async start(): Promise<void> {
    await waitFor(
      `${this.service} to start`,
      async () => {
        this.process = await this.glimpse.start(this.service);
        return true;
      },
      COMEBACK_TIMEOUT_MS,
    );
    await waitFor(
      `${this.service} to be ready`,
      async () => (await fetch(`${this.process?.url}/readyz`)).ok,
      COMEBACK_TIMEOUT_MS,
    );
  }

  async kill(): Promise<void> {
    this.noteEnd();
    await this.process?.kill('SIGKILL');
  }

  /** The last words of those that ended although nobody killed them. */
  get crashes(): readonly string[] {
    this.noteEnd();
    return this.ends;
  }

  private noteEnd(): void {
    if (this.process === undefined || this.process.exitCode === null) return;
    const { exitCode, log } = this.process;
    this.ends.push(`${this.service} ended by itself with ${exitCode}: ${log.slice(-LAST_WORDS)}`);
    this.process = undefined;
  }
}

/** A whole Glimpse with everything that it depends on, each part of which can be killed and started again. */
export class System {
  private constructor(
    readonly mode: Mode,
    readonly glimpse: Glimpse,
    readonly slots: ReadonlyMap<ServiceName, readonly Slot[]>,
    /** None in embedded mode. */
    readonly servers: OwnServers | null,
    readonly ways: ReadonlyMap<WayName, TcpProxy>,
    readonly home: string,
  ) {}

  /** Starts everything; `home` is for what it keeps. */
  static async start(mode: Mode, home: string, env: Readonly<Record<string, string>>): Promise<System> {
    const dataDir = join(home, 'data');
    await mkdir(dataDir, { recursive: true });
    const all = { ...environmentFor(home), ...env };
    if (mode === 'embedded') {
      const glimpse = new Glimpse(mode, dataDir, all, []);
      const slots = new Map([['embedded', [new Slot('embedded', glimpse)]]] as const);
      return new System(mode, glimpse, slots, null, new Map(), home).begin();
    }
    const servers = await OwnServers.start(join(home, 'servers'));
    const ways = new Map<WayName, TcpProxy>();
    for (const name of wayNames)
      ways.set(name, new TcpProxy(new URL(name === 'database' ? servers.databaseUrl : servers.busUrl)));
    for (const way of ways.values()) await way.open();
    const busOf = (service: Service) => ({ GLIMPSE_BUS_URL: ways.get(`${service}-bus`)?.url ?? '' });
    const glimpse = new Glimpse(
      mode,
      dataDir,
      { ...all, GLIMPSE_DATABASE_URL: ways.get('database')?.url ?? '' },
      [],
      {
        registry: busOf('registry'),
        'store-worker': busOf('store-worker'),
        'api-gateway': busOf('api-gateway'),
      },
    );
    const pair = (service: Service) => [new Slot(service, glimpse), new Slot(service, glimpse)] as const;
    const slots = new Map(services.map((service) => [service, pair(service)] as const));
    return new System(mode, glimpse, slots, servers, ways, home).begin();
  }

  get storeDirs(): Readonly<Record<string, string>> {
    return storeDirs(this.home);
  }

  /** The database, by the short way. */
  get databaseUrl(): string {
    return this.servers?.databaseUrl ?? `sqlite:${join(this.glimpse.dataDir, 'glimpse.sqlite')}`;
  }

  /** What the processes said last that ended by themselves. */
  get crashes(): string[] {
    return [...this.slots.values()].flat().flatMap((slot) => slot.crashes);
  }

  async stop(): Promise<void> {
    await this.glimpse.stop();
    for (const way of this.ways.values()) await way.close();
    await this.servers?.stop();
  }

  private async begin(): Promise<System> {
    try {
      for (const slots of this.slots.values()) await Promise.all(slots.map((slot) => slot.start()));
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this;
  }
}

export const STAGING = 'staging';

/** Where compute leaves disks of which it wants snapshots. */
export const disksDir = (home: string): string => join(home, 'disks');

const storeDirs = (home: string) =>
  Object.fromEntries([...storeNames, STAGING].map((name) => [name, join(home, 'stores', name)]));

function environmentFor(home: string): Record<string, string> {
  const dirs = storeDirs(home);
  const driverOf = (name: string) => ({ type: 'file', datadir: dirs[name] });
  return {
    GLIMPSE_PORT: '0',
    GLIMPSE_REGISTRY_PORT: '0',
    GLIMPSE_STORE_WORKER_PORT: '0',
    GLIMPSE_DATA_DIR: join(home, 'data'),
    GLIMPSE_AUTH: 'none',
    GLIMPSE_STORES: JSON.stringify(Object.fromEntries(storeNames.map((name) => [name, driverOf(name)]))),
    GLIMPSE_DEFAULT_STORE: 'one',
    GLIMPSE_STAGING: JSON.stringify(driverOf(STAGING)),
    GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
    GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    GLIMPSE_SNAPSHOTS_FILE_ROOTS: disksDir(home),
    // What was acknowledged has to come about, however many workers die of it.
    GLIMPSE_IMPORT_MAX_ATTEMPTS: '100',
  };
}
