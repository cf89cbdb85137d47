import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@glimpse/persistence';
import { DataServer, ImageApi, type Mode, waitFor } from '@glimpse/testing';
import { findInMotion } from './at-rest.js';
import { ChaosClient } from './client.js';
import { startComputeWorkload } from './compute-workload.js';
import { findDatabaseFaults } from './database-check.js';
import { EventLog } from './event-log.js';
import { planFaults } from './faults.js';
import { Killer } from './killer.js';
import type { Lanes } from './lanes.js';
import { Ledger } from './ledger.js';
import { LedgerCheck } from './ledger-check.js';
import { Random } from './random.js';
import { REST_MS } from './life.js';
import { findByReconcile } from './reconcile-check.js';
import { type ChaosReport, describeReport } from './report.js';
import { findLostFiles, findOrphans } from './store-check.js';
import { System, disksDir } from './system.js';
import { startWorkload } from './workload.js';

/** What the clients asked for last, after the last fault, takes this long at most. */
const LAST_WORK_MS = 15_000;
const CLIENTS = 12;
const COMPUTE_HOSTS = 2;

export interface ChaosOptions {
  readonly mode: Mode;
  readonly kills: number;
  /** The same seed brings the same work and the same faults, in the same order. */
  readonly seed: string;
  /** More of the configuration. */
  readonly env?: Readonly<Record<string, string>>;
  /** Is told of each fault as it comes. */
  readonly onFault?: (number: number, fault: string) => void;
}

/** Lets clients work while everything is killed at random, waits until all is at rest, and looks what there is. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const home = await mkdtemp(join(tmpdir(), 'glimpse-chaos-'));
  const web = await DataServer.start();
  let system: System | undefined;
  try {
    system = await System.start(options.mode, home, options.env ?? {});
    const report = await new ChaosRun(options, system, web).run();
    if (report.violations.length > 0) await keepLogs(options, system, report);
    return report;
  } finally {
    await system?.stop();
    await web.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** A run that failed can be looked into. */
async function keepLogs({ mode, seed }: ChaosOptions, system: System, report: ChaosReport): Promise<void> {
  const folder = join(tmpdir(), 'glimpse-chaos-failures');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${mode}-${seed.replaceAll(/\W/g, '_')}.log`);
  await writeFile(
    file,
    `${describeReport(report)}\n${report.violations.join('\n')}\n${system.glimpse.logs}\n`,
  );
  process.stderr.write(`What the services said is in ${file}\n`);
}

class ChaosRun {
  private readonly ledger = new Ledger();
  private readonly started = performance.now();

  constructor(
    private readonly options: ChaosOptions,
    private readonly system: System,
    private readonly web: DataServer,
  ) {}

  async run(): Promise<ChaosReport> {
    const { system, ledger } = this;
    const random = new Random(this.options.seed);
    const killer = new Killer(system, ledger, this.options.onFault);
    const events = system.servers === null ? null : await EventLog.open(system.servers.busUrl);
    const newClient = () => new ChaosClient(() => system.glimpse.urls, ledger);
    const workload = startWorkload(random.fork('work'), CLIENTS, newClient, { ledger, web: this.web });
    const compute = await this.startCompute(random.fork('compute'), newClient);
    await killer.run(planFaults(random.fork('faults'), system, this.options.kills));
    const lastFault = performance.now();
    ledger.calmSince = Date.now();
    await Promise.all([workload.stop(), compute?.stop()]);
    const database = await Database.open({ url: system.databaseUrl, poolSize: 4, connectTimeoutMs: 10_000 });
    try {
      return await this.lookAtWhatThereIs(database, events, killer, lastFault);
    } finally {
      await database.close();
    }
  }

  /** Without RabbitMQ there is no way to ask for snapshots. */
  private async startCompute(random: Random, newClient: () => ChaosClient): Promise<Lanes | null> {
    const { servers, home } = this.system;
    if (servers === null) return null;
    const folder = disksDir(home);
    await mkdir(folder);
    const place = { busUrl: servers.busUrl, folder, ledger: this.ledger };
    return startComputeWorkload(random, COMPUTE_HOSTS, newClient, place);
  }

  private async lookAtWhatThereIs(
    database: Database,
    events: EventLog | null,
    killer: Killer,
    lastFault: number,
  ): Promise<ChaosReport> {
    const { system, ledger, options } = this;
    const restedAfterMs = await this.rest(database, lastFault);
    const folders = Object.values(system.storeDirs);
    const check = new LedgerCheck(new ImageApi(() => system.glimpse.url), ledger);
    const differences = await check.run();
    const orphans = await findOrphans(database, folders);
    const violations = [
      ...ledger.violations,
      ...differences,
      ...(await findDatabaseFaults(database)),
      ...(await findLostFiles(database, folders)).map((file) => `lost: ${file}`),
      ...orphans.files.map((file) => `orphan: ${file}`),
      ...((await events?.findLost(database)) ?? []),
      ...(await findByReconcile(system.glimpse)),
      ...system.crashes,
    ];
    return {
      mode: options.mode,
      seed: options.seed,
      faults: Object.fromEntries(killer.struck),
      operations: Object.fromEntries(ledger.operations),
      images: check.found,
      ...(await countJobs(database)),
      slowestRecovery: killer.slowestRecovery,
      restedAfterMs,
      orphanedBytes: orphans.bytes,
      durationMs: performance.now() - this.started,
      violations,
    };
  }

  /** Waits until nothing is in motion; says how long that took after the last fault. */
  private async rest(database: Database, lastFault: number): Promise<number> {
    const since = () => Math.round(performance.now() - lastFault);
    try {
      await waitFor(
        'everything to be at rest',
        async () => (await findInMotion(database)).length === 0,
        Math.max(LAST_WORK_MS, REST_MS - since()),
      );
    } catch {
      for (const what of await findInMotion(database))
        this.ledger.violation(`stuck ${REST_MS} ms after the last fault: ${what}`);
    }
    return since();
  }
}

/** MySQL gives sums as text. */
type Sum = number | string;

async function countJobs(database: Database): Promise<Pick<ChaosReport, 'jobs' | 'repeatedAttempts'>> {
  const rows = await database.query<{ kind: string; status: string; jobs: Sum; repeated: Sum }>(
    'SELECT kind, status, COUNT(*) AS jobs, SUM(CASE WHEN attempt > 1 THEN attempt - 1 ELSE 0 END) AS repeated FROM jobs GROUP BY kind, status',
  );
  return {
    jobs: Object.fromEntries(rows.map(({ kind, status, jobs }) => [`${kind} ${status}`, Number(jobs)])),
    repeatedAttempts: rows.reduce((sum, { repeated }) => sum + Number(repeated), 0),
  };
}
