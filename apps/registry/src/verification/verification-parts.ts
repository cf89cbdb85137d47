import { CopyChecks } from './copy-checks.js';
import { DamageGauge } from './damage.gauge.js';
import { DamageReports } from './damage-reports.js';
import { HeldCopies } from './held-copies.js';
import { RepairJobs } from './repair-jobs.js';
import { VerificationQueue } from './verification-queue.js';
import { VerificationService } from './verification.service.js';
import { VerifyJobs } from './verify-jobs.js';

/** Everything that looks whether stored data is still what it was. */
export const verificationProviders = [
  CopyChecks,
  DamageGauge,
  DamageReports,
  HeldCopies,
  RepairJobs,
  VerificationQueue,
  VerificationService,
  VerifyJobs,
];
