import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from '@glimpse/persistence';
import { type Glimpse, ImageApi, startGlimpse, waitFor } from '@glimpse/testing';
import { findInMotion } from '../../test/fault/chaos/at-rest.js';
import { ComputeHost } from '../../test/fault/snapshot-load/compute-host.js';
import { type Disk, makeDisks } from '../../test/fault/snapshot-load/disks.js';
import { type ProjectTurn, findUnfair, projectTurns } from '../../test/fault/snapshot-load/fair-turns.js';
import { findBrokenPromises } from '../../test/fault/snapshot-load/promise-check.js';
import { SnapshotEvents } from '../../test/fault/snapshot-load/snapshot-events.js';
import { type PlannedSnapshot, planSnapshots } from '../../test/fault/snapshot-load/snapshot-plan.js';
import { type MemoryCourse, MemoryWatch } from './memory-watch.js';
import { type Row, percent, round } from './report.js';

const MIB = 1 << 20;
/** Different disks, which the requests are of in turn, and how much of each is no hole. */
const DISKS = 16;
const DATA_MEBIBYTES = 4;
const CONNECTIONS = 4;
/** Of the jobs that a worker runs at once, unless told otherwise. */
const JOBS_AT_ONCE = 4;
/** For one snapshot, with all that came before it: a run that is slower than this stands still. */
const SLOWEST_MS = 5_000;
const LAST_MS = 300_000;
const run = promisify(execFile);

export interface SnapshotBenchOptions {
  readonly count: number;
  readonly mebibytes: number;
  readonly duplicates: number;
  readonly workers: number;
}

/** What a run was measured at, and what it did not keep of what is promised. */
export interface SnapshotBenchResult {
  readonly rows: readonly Row[];
  readonly broken: readonly string[];
}

/** Nine of ten are one project's; then some of three others, and one of a project that has no more. */
function projectSizes(count: number): number[] {
  const large = Math.floor(count * 0.9);
  const rest = Math.max(0, count - large - 1);
  const third = Math.floor(rest / 3);
  return [large, third, third, rest - 2 * third, 1].filter((size) => size > 0);
}

async function assertRoom(folder: string, { count }: SnapshotBenchOptions): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = (count + 2 * DISKS) * (DATA_MEBIBYTES + 1) * MIB;
  if (bavail * bsize < 2 * needed)
    throw new Error(`${folder} has no room for twice the ${round(needed / MIB)} MiB that this takes`);
}

/** MiB a second that as many processes as there are processors copy and hash of the same disks. */
async function rawSpeed(folder: string, disks: readonly Disk[]): Promise<number> {
  const copies = join(folder, 'copies');
  await mkdir(copies);
  const lanes = cpus().map((_, lane) =>
    disks.filter((_disk, n) => n % cpus().length === lane).map(({ path }) => path),
  );
  const script = join(import.meta.dirname, 'copy-and-hash.mjs');
  const seconds = await Promise.all(
    lanes.map(async (files) => Number((await run(process.execPath, [script, copies, ...files])).stdout)),
  );
  await rm(copies, { recursive: true });
  return disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / MIB / Math.max(...seconds);
}

/** A Glimpse under load, and those who watch it. */
class LoadedGlimpse {
  readonly asked: PlannedSnapshot[] = [];
  readonly copies = new Map<string, number>();

  private constructor(
    readonly glimpse: Glimpse,
    readonly database: Database,
    readonly events: SnapshotEvents,
    readonly hosts: readonly ComputeHost[],
    private readonly store: string,
  ) {}

  static async start(folder: string, roots: string, workers: number): Promise<LoadedGlimpse> {
    const store = join(folder, 'store');
    const glimpse = await startGlimpse({
      mode: 'distributed',
      env: {
        GLIMPSE_STORES: JSON.stringify({ one: { type: 'file', datadir: store } }),
        GLIMPSE_DEFAULT_STORE: 'one',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: roots,
        GLIMPSE_STORE_WORKER_CONCURRENCY: String(JOBS_AT_ONCE),
        // Nothing of it may be forgotten before it was looked at.
        GLIMPSE_OUTBOX_RETENTION_MS: String(24 * 3_600_000),
      },
    });
    for (let n = 1; n < workers; n++) await glimpse.start('store-worker');
    const url = glimpse.env['GLIMPSE_DATABASE_URL'] ?? '';
    const busUrl = glimpse.env['GLIMPSE_BUS_URL'] ?? '';
    return new LoadedGlimpse(
      glimpse,
      await Database.open({ url, poolSize: 2, connectTimeoutMs: 10_000 }),
      await SnapshotEvents.open(busUrl),
      await Promise.all(Array.from({ length: CONNECTIONS }, () => ComputeHost.open(busUrl))),
      store,
    );
  }

  get processes(): { name: string; pid: number }[] {
    return (['api-gateway', 'registry', 'store-worker'] as const).flatMap((service) =>
      this.glimpse
        .running(service)
        .map(({ pid }, n, all) => ({ name: all.length === 1 ? service : `${service} ${n + 1}`, pid })),
    );
  }

  get replyCount(): number {
    return this.hosts.reduce((sum, host) => sum + host.replyCount, 0);
  }

  async atRest(): Promise<void> {
    const isAtRest = async () => (await findInMotion(this.database)).length === 0;
    await waitFor('everything to be at rest', isAtRest, LAST_MS);
  }

  brokenPromises(): Promise<string[]> {
    return findBrokenPromises({
      api: new ImageApi(() => this.glimpse.url),
      database: this.database,
      busUrl: this.glimpse.env['GLIMPSE_BUS_URL'] ?? '',
      storeDirs: [this.store],
      planned: this.asked,
      events: this.events,
      replies: this.hosts.flatMap((host) => host.replies),
      copies: this.copies,
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.events.close();
    await this.database.close();
    await this.glimpse.stop();
    await rm(this.store, { recursive: true, force: true });
  }
}

const rate = (count: number, ms: number) => `${round((1000 * count) / ms, 1)}/s`;

const turnRow = ({ projectId, snapshots, waitedFor, bound }: ProjectTurn): Row => ({
  what: `${projectId}, its ${snapshots} ended after`,
  figure: round(waitedFor),
  aim: `≤ ${round(bound)}`,
  note: 'snapshots of others',
});

const memoryRow = ({ name, early, late, peak, isFlat }: MemoryCourse): Row => ({
  what: `memory of ${name}`,
  figure: `${round(late)} MiB`,
  note: `${round(early)} after a tenth of the work, ${round(peak)} at most${isFlat === null ? '; too short a run to tell' : ''}`,
});

const findGrowth = (courses: readonly MemoryCourse[]): string[] =>
  courses
    .filter(({ isFlat }) => isFlat === false)
    .map(({ name, early, late }) => `memory of ${name} grew from ${round(early)} to ${round(late)} MiB`);

/** All of them at once, over one connection; the rest is waiting. */
async function runMany(loaded: LoadedGlimpse, snapshots: readonly PlannedSnapshot[], workers: number) {
  const { events, hosts } = loaded;
  const total = snapshots.length;
  loaded.asked.push(...snapshots);
  const watch = new MemoryWatch(loaded.processes, () => events.ended / total);
  const start = performance.now();
  await hosts[0]!.publish(snapshots);
  const publishedMs = performance.now() - start;
  await waitFor('all to end', () => events.ended >= total, LAST_MS + total * SLOWEST_MS);
  const memory = watch.end();
  await waitFor('all replies', () => loaded.replyCount >= total, LAST_MS);
  await loaded.atRest();
  const since = (at: number) => at - start;
  return {
    publishedMs,
    acceptedMs: since(Math.max(...events.named('accepted').map(({ at }) => at))),
    completedMs: since(events.all.at(-1)?.at ?? start),
    turns: projectTurns(events.all, workers * JOBS_AT_ONCE),
    memory,
  };
}

/** The same message again and again, over several connections at once. Resolves with the milliseconds until all are answered. */
async function runDuplicates(
  loaded: LoadedGlimpse,
  one: PlannedSnapshot,
  duplicates: number,
): Promise<number> {
  const { hosts } = loaded;
  const share = Array.from({ length: Math.ceil(duplicates / hosts.length) }, () => one);
  const total = share.length * hosts.length;
  loaded.asked.push(one);
  loaded.copies.set(one.requestId, total);
  const due = loaded.replyCount + total;
  const start = performance.now();
  await Promise.all(hosts.map((host) => host.publish(share)));
  await waitFor('all replies', () => loaded.replyCount >= due, LAST_MS + total);
  const answeredMs = Math.max(...hosts.map(({ lastReplyAt }) => lastReplyAt)) - start;
  await waitFor('its end', () => loaded.events.ended >= loaded.asked.length, LAST_MS);
  await loaded.atRest();
  return answeredMs;
}

/**
 * Requests of compute at once, of several projects, and the same one many times. What is published, what is answered and what is
 * there in the end is compared: a promise that was not kept is named.
 */
export async function benchSnapshots(options: SnapshotBenchOptions): Promise<SnapshotBenchResult> {
  const { count, mebibytes, duplicates, workers } = options;
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
  let loaded: LoadedGlimpse | undefined;
  try {
    await assertRoom(folder, options);
    const roots = join(folder, 'disks');
    const sizes = { sizeBytes: mebibytes * MIB, dataBytes: Math.min(DATA_MEBIBYTES, mebibytes) * MIB };
    const disks = await makeDisks(roots, { count: DISKS, ...sizes });
    const raw = await rawSpeed(folder, disks);
    loaded = await LoadedGlimpse.start(folder, roots, workers);
    const many = await runMany(loaded, planSnapshots(projectSizes(count), disks), workers);
    const [one] = planSnapshots([1], disks);
    const duplicatesMs = await runDuplicates(loaded, one!, duplicates);
    const speed = (count * mebibytes * 1000) / many.completedMs;
    return {
      rows: [
        { what: `plain copy and hash, ${cpus().length} at once`, figure: `${round(raw)} MiB/s` },
        { what: 'published and confirmed', figure: rate(count, many.publishedMs) },
        { what: 'accepted', figure: rate(count, many.acceptedMs) },
        { what: 'completed', figure: rate(count, many.completedMs) },
        {
          what: 'completed',
          figure: `${round(speed)} MiB/s`,
          ratio: percent(speed, raw),
          note: 'of the plain copy',
        },
        ...many.turns.map(turnRow),
        {
          what: `answers to ${round(duplicates)} times the same request`,
          figure: rate(duplicates, duplicatesMs),
        },
        ...many.memory.map(memoryRow),
      ],
      broken: [...(await loaded.brokenPromises()), ...findUnfair(many.turns), ...findGrowth(many.memory)],
    };
  } finally {
    await loaded?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
