import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@glimpse/testing';
import { type Disk, makeDisks } from './snapshot-load/disks.js';
import { findUnfair, projectTurns } from './snapshot-load/fair-turns.js';
import { LoadedGlimpse } from './snapshot-load/loaded-glimpse.js';
import { planSnapshots } from './snapshot-load/snapshot-plan.js';

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

describe('many requests of compute at once', () => {
  let disks: Disk[];
  let loaded: LoadedGlimpse;

  beforeAll(async () => {
    disks = await makeDisks(roots, { count: 4, sizeBytes: 4 * MIB, dataBytes: MIB });
    loaded = await LoadedGlimpse.start({
      store: join(folder, 'store'),
      roots,
      workers: 1,
      jobsAtOnce: JOBS_AT_ONCE,
      hosts: 2,
      restMs: STEP_MS,
      env: {
        // Whoever is killed is missed soon.
        GLIMPSE_LEASES_INSTANCE_LEASE_MS: '5000',
        GLIMPSE_LEASES_REAPER_INTERVAL_MS: '500',
        GLIMPSE_JOBS_LEASE_MS: '5000',
      },
    });
  }, STEP_MS);

  afterAll(async () => {
    await loaded.stop();
    await rm(folder, { recursive: true });
  }, STEP_MS);

  const repliesTo = (count: number) => waitFor('all replies', () => loaded.replyCount >= count, STEP_MS);

  it(
    'become an image each, project by project, though a worker is killed in the middle',
    async () => {
      const { glimpse, events } = loaded;
      const asked = planSnapshots(SIZES, disks);
      await glimpse.kill('store-worker', 'SIGTERM');
      await loaded.ask(asked);
      await waitFor('all to be accepted', () => events.named('accepted').length >= asked.length, STEP_MS);

      for (let n = 0; n < WORKERS; n++) await glimpse.start('store-worker');
      await waitFor('some to be done', () => events.ended >= asked.length / 4, STEP_MS);
      await glimpse.kill('store-worker');
      await waitFor('all to end', () => events.ended >= asked.length, STEP_MS);
      await repliesTo(asked.length);
      await loaded.atRest();

      expect(await loaded.brokenPromises()).toEqual([]);
      expect(findUnfair(projectTurns(events.all, WORKERS * JOBS_AT_ONCE))).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are one image when they are the same request, whoever sends it again',
    async () => {
      const before = loaded.replyCount;

      const total = await loaded.askAgain(planSnapshots([1], disks)[0]!, DUPLICATES);
      await repliesTo(before + total);
      await waitFor('its end', () => loaded.events.ended >= loaded.asked.length, STEP_MS);
      await loaded.atRest();

      expect(total).toBe(DUPLICATES);
      expect(await loaded.brokenPromises()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
