import { ConversionsService } from './conversions.service.js';
import { ImportCancellation } from './import-cancellation.js';
import { ImportEnds } from './import-ends.js';
import { ImportJobs } from './import-jobs.js';
import { ImportLauncher } from './import-launcher.js';
import { ImportsService } from './imports.service.js';
import { StagedData } from './staged-data.js';
import { StagingService } from './staging.service.js';

/** Everything that brings data into images in the background. */
export const importProviders = [
  StagedData,
  StagingService,
  ImportsService,
  ImportLauncher,
  ConversionsService,
  ImportJobs,
  ImportEnds,
  ImportCancellation,
];
