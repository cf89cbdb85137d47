import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '@glimpse/testing';
import { type Disk, makeDisks } from '../../test/fault/snapshot-load/disks.js';
import { type ProjectTurn, findUnfair, projectTurns } from '../../test/fault/snapshot-load/fair-turns.js';
import { LoadedGlimpse } from '../../test/fault/snapshot-load/loaded-glimpse.js';
import { type PlannedSnapshot, planSnapshots } from '../../test/fault/snapshot-load/snapshot-plan.js';
import { type MemoryCourse, watchMemory } from './memory-watch.js';
import { type Row, percent, round } from './report.js';
import { serviceCpuSeconds, serviceProcesses } from './service-processes.js';

const MIB = 1 << 20;
/** Different disks, which the requests are of in turn, and how much of each is no hole. */
const DISKS = 16;
const DATA_MEBIBYTES = 4;
/** For one snapshot, with all that came before it: a run that is slower than this stands still. */
const SLOWEST_MS = 5_000;
const LAST_MS = 300_000;
const HOSTS = 4;
/** Jobs that a worker runs at once: what it does unless told otherwise. */
const JOBS_AT_ONCE = 4;
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
  const { events, glimpse } = loaded;
  const total = snapshots.length;
  const cpuBefore = serviceCpuSeconds(glimpse);
  const start = performance.now();
  await loaded.ask(snapshots);
  const publishedMs = performance.now() - start;
  await waitFor('all to end', () => events.ended >= total, LAST_MS + total * SLOWEST_MS);
  await waitFor('all replies', () => loaded.replyCount >= total, LAST_MS);
  await loaded.atRest();
  const since = (at: number) => at - start;
  return {
    cpuMs: (1000 * (serviceCpuSeconds(glimpse) - cpuBefore)) / total,
    publishedMs,
    acceptedMs: since(Math.max(...events.named('accepted').map(({ at }) => at))),
    completedMs: since(events.all.at(-1)?.at ?? start),
    turns: projectTurns(events.all, workers * JOBS_AT_ONCE),
  };
}

/** The same message again and again, over several connections at once. Resolves with the milliseconds until all are answered. */
async function runDuplicates(
  loaded: LoadedGlimpse,
  one: PlannedSnapshot,
  duplicates: number,
): Promise<number> {
  const before = loaded.replyCount;
  const start = performance.now();
  const total = await loaded.askAgain(one, duplicates);
  await waitFor('all replies', () => loaded.replyCount >= before + total, LAST_MS + total);
  const answeredMs = loaded.lastReplyAt - start;
  await waitFor('its end', () => loaded.events.ended >= loaded.asked.length, LAST_MS);
  await loaded.atRest();
  return answeredMs;
}

async function measure(
  loaded: LoadedGlimpse,
  disks: readonly Disk[],
  raw: number,
  { count, mebibytes, duplicates, workers }: SnapshotBenchOptions,
): Promise<SnapshotBenchResult> {
  const work = async () => {
    const many = await runMany(loaded, planSnapshots(projectSizes(count), disks), workers);
    const [one] = planSnapshots([1], disks);
    return { many, duplicatesMs: await runDuplicates(loaded, one!, duplicates) };
  };
  const shareDone = () => loaded.events.ended / count;
  const { result, memory } = await watchMemory(serviceProcesses(loaded.glimpse), shareDone, work);
  const { many, duplicatesMs } = result;
  const speed = (count * mebibytes * 1000) / many.completedMs;
  const cpu = `${round(many.cpuMs)} ms of CPU time each, of all services`;
  const copies = `answers to ${round(duplicates)} times the same request`;
  return {
    rows: [
      { what: `plain copy and hash, ${cpus().length} at once`, figure: `${round(raw)} MiB/s` },
      { what: 'published and confirmed', figure: rate(count, many.publishedMs) },
      { what: 'accepted', figure: rate(count, many.acceptedMs) },
      { what: 'completed', figure: rate(count, many.completedMs), note: cpu },
      {
        what: 'data',
        figure: `${round(speed)} MiB/s`,
        ratio: percent(speed, raw),
        note: 'of the plain copy',
      },
      ...many.turns.map(turnRow),
      { what: copies, figure: rate(duplicates, duplicatesMs) },
      ...memory.map(memoryRow),
    ],
    broken: [...(await loaded.brokenPromises()), ...findUnfair(many.turns), ...findGrowth(memory)],
  };
}

/**
 * Requests of compute at once, of several projects, and the same one many times. What is published, what is answered and what is
 * there in the end is compared: a promise that was not kept is named.
 */
export async function benchSnapshots(options: SnapshotBenchOptions): Promise<SnapshotBenchResult> {
  const { mebibytes, workers } = options;
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
  try {
    await assertRoom(folder, options);
    const roots = join(folder, 'disks');
    const sizes = { sizeBytes: mebibytes * MIB, dataBytes: Math.min(DATA_MEBIBYTES, mebibytes) * MIB };
    const disks = await makeDisks(roots, { count: DISKS, ...sizes });
    const raw = await rawSpeed(folder, disks);
    const loaded = await LoadedGlimpse.start({
      store: join(folder, 'store'),
      roots,
      workers,
      jobsAtOnce: JOBS_AT_ONCE,
      hosts: HOSTS,
      restMs: LAST_MS,
      // Nothing of it may be forgotten before it was looked at.
      env: { GLIMPSE_OUTBOX_RETENTION_MS: String(24 * 3_600_000) },
    });
    try {
      return await measure(loaded, disks, raw, options);
    } finally {
      await loaded.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
