import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@glimpse/persistence';
import { type Glimpse, ImageApi, startGlimpse, waitFor } from '@glimpse/testing';
import { findInMotion } from './chaos/at-rest.js';
import { ComputeHost } from './snapshot-load/compute-host.js';
import { type Disk, makeDisks } from './snapshot-load/disks.js';
import { findUnfair, projectTurns } from './snapshot-load/fair-turns.js';
import { findBrokenPromises } from './snapshot-load/promise-check.js';
import { SnapshotEvents } from './snapshot-load/snapshot-events.js';
import { type PlannedSnapshot, planSnapshots } from './snapshot-load/snapshot-plan.js';

/** `npm run bench -- snapshots` is the long run of it. */
const SIZES = [50, 9, 1];
const DUPLICATES = 500;
const JOBS_AT_ONCE = 2;
const WORKERS = 2;
const MIB = 1 << 20;
/** Of each step of a run, on a machine that does much else. */
const STEP_MS = 120_000;
const TEST_TIMEOUT_MS = 300_000;

const folder = mkdtempSync(join(tmpdir(), 'glimpse-snapshots-'));
const roots = join(folder, 'disks');
const store = join(folder, 'store');

describe('many requests of compute at once', () => {
  let disks: Disk[];
  let glimpse: Glimpse;
  let database: Database;
  let events: SnapshotEvents;
  let hosts: [ComputeHost, ComputeHost];
  let asked: PlannedSnapshot[] = [];
  const copies = new Map<string, number>();

  beforeAll(async () => {
    disks = await makeDisks(roots, { count: 4, sizeBytes: 4 * MIB, dataBytes: MIB });
    glimpse = await startGlimpse({
      mode: 'distributed',
      env: {
        GLIMPSE_STORES: JSON.stringify({ one: { type: 'file', datadir: store } }),
        GLIMPSE_DEFAULT_STORE: 'one',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: roots,
        GLIMPSE_STORE_WORKER_CONCURRENCY: String(JOBS_AT_ONCE),
        // Whoever is killed is missed soon.
        GLIMPSE_LEASES_INSTANCE_LEASE_MS: '5000',
        GLIMPSE_LEASES_REAPER_INTERVAL_MS: '500',
        GLIMPSE_JOBS_LEASE_MS: '5000',
      },
    });
    const busUrl = glimpse.env['GLIMPSE_BUS_URL'] ?? '';
    const url = glimpse.env['GLIMPSE_DATABASE_URL'] ?? '';
    database = await Database.open({ url, poolSize: 2, connectTimeoutMs: 10_000 });
    events = await SnapshotEvents.open(busUrl);
    hosts = [await ComputeHost.open(busUrl), await ComputeHost.open(busUrl)];
  }, STEP_MS);

  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()));
    await events.close();
    await database.close();
    await glimpse.stop();
    await rm(folder, { recursive: true });
  }, STEP_MS);

  const atRest = () =>
    waitFor('everything to be at rest', async () => (await findInMotion(database)).length === 0, STEP_MS);

  const replyCount = () => hosts.reduce((sum, host) => sum + host.replyCount, 0);

  const brokenPromises = () =>
    findBrokenPromises({
      api: new ImageApi(() => glimpse.url),
      database,
      busUrl: glimpse.env['GLIMPSE_BUS_URL'] ?? '',
      storeDirs: [store],
      planned: asked,
      events,
      replies: hosts.flatMap((host) => host.replies),
      copies,
    });

  it(
    'become an image each, project by project, though a worker is killed in the middle',
    async () => {
      await glimpse.kill('store-worker', 'SIGTERM');
      asked = planSnapshots(SIZES, disks);
      await hosts[0].publish(asked);
      await waitFor('all to be accepted', () => events.named('accepted').length >= asked.length, STEP_MS);

      for (let n = 0; n < WORKERS; n++) await glimpse.start('store-worker');
      await waitFor('some to be done', () => events.ended >= asked.length / 4, STEP_MS);
      await glimpse.kill('store-worker');
      await waitFor('all to end', () => events.ended >= asked.length, STEP_MS);
      await waitFor('all replies', () => replyCount() >= asked.length, STEP_MS);
      await atRest();

      expect(await brokenPromises()).toEqual([]);
      expect(findUnfair(projectTurns(events.all, WORKERS * JOBS_AT_ONCE))).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are one image when they are the same request, whoever sends it again',
    async () => {
      const one = planSnapshots([1], disks)[0]!;
      asked = [...asked, one];
      copies.set(one.requestId, DUPLICATES);
      const due = replyCount() + DUPLICATES;
      const share = Array.from({ length: DUPLICATES / hosts.length }, () => one);

      await Promise.all(hosts.map((host) => host.publish(share)));
      await waitFor('all replies', () => replyCount() >= due, STEP_MS);
      await waitFor('its end', () => events.ended >= asked.length, STEP_MS);
      await atRest();

      expect(await brokenPromises()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
