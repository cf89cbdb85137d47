import { onBroker, runService } from '@glimpse/runtime';
import { startStoreWorker } from './bootstrap.js';

await runService('glimpse-store-worker', onBroker(startStoreWorker));
