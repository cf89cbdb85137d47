import type { Provider } from '@nestjs/common';
import { ReconcileJobs } from './reconcile/reconcile-jobs.js';
import { ReapedUploads } from './leases/reaped-uploads.js';
import { LocationImports } from './locations/location-imports.js';
import { ImportJobs } from './imports/import-jobs.js';
import { VerifyJobs } from './verification/verify-jobs.js';
import { RepairJobs } from './verification/repair-jobs.js';
import { JobEffects } from './jobs/job-effects.js';

/** What follows from the ends of jobs, each kind in the area that it is about. */
export const jobEffectsProvider: Provider = {
  provide: JobEffects,
  inject: [ReconcileJobs, ReapedUploads, LocationImports, ImportJobs, VerifyJobs, RepairJobs],
  useFactory: (
    reconcile: ReconcileJobs,
    uploads: ReapedUploads,
    { probe, hash }: LocationImports,
    imports: ImportJobs,
    verify: VerifyJobs,
    repair: RepairJobs,
  ) => new JobEffects([reconcile, uploads, probe, hash, imports.import, imports.cleanUp, verify, repair]),
};
