import { onBroker, runService } from '@glimpse/runtime';
import { startRegistry } from './bootstrap.js';

await runService('glimpse-registry', onBroker(startRegistry));
