import { createDatabase } from '@glimpse/testing';
import { describe } from '@jest/globals';
import { describeReconcile } from './reconcile.conformance.js';
import { describeReconcileSchedule } from './reconcile-schedule.conformance.js';
import { describeReconcileSafety } from './reconcile-safety.conformance.js';

describe('comparing the stores with MySQL', () => {
  describeReconcile(createDatabase);
  describeReconcileSchedule(createDatabase);
  describeReconcileSafety(createDatabase, Number(process.env['GLIMPSE_TEST_RUNS'] ?? 8));
});
