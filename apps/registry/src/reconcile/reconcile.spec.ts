import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { describeReconcile } from './reconcile.conformance.js';
import { describeReconcileSchedule } from './reconcile-schedule.conformance.js';
import { describeReconcileSafety } from './reconcile-safety.conformance.js';

async function makePlace() {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-reconcile-'));
  return {
    url: `sqlite:${join(folder, 'test.sqlite')}`,
    remove: () => rm(folder, { recursive: true }),
  };
}

describe('comparing the stores with SQLite', () => {
  describeReconcile(makePlace);
  describeReconcileSchedule(makePlace);
  describeReconcileSafety(makePlace, Number(process.env['GLIMPSE_TEST_RUNS'] ?? 40));
});
