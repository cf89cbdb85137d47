import { DataClaims } from './data-claims.js';
import { HeldRuns } from './held-runs.js';
import { OrphansService } from './orphans.service.js';
import { PromisesService } from './promises.service.js';
import { Quarantine } from './quarantine.js';
import { QuarantineService } from './quarantine.service.js';
import { ReconcileGauge } from './reconcile.gauge.js';
import { ReconcileJobs } from './reconcile-jobs.js';
import { ReconcileSchedule } from './reconcile-schedule.js';
import { StoreFindings } from './store-findings.js';

/** Everything that compares the stores with the database. */
export const reconcileProviders = [
  DataClaims,
  HeldRuns,
  StoreFindings,
  OrphansService,
  Quarantine,
  QuarantineService,
  PromisesService,
  ReconcileGauge,
  ReconcileJobs,
  ReconcileSchedule,
];
