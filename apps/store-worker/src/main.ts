import { runService } from '@glimpse/runtime';
import { startStoreWorker } from './bootstrap.js';

await runService('glimpse-store-worker', startStoreWorker);
