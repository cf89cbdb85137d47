import { runService } from '@glimpse/runtime';
import { startRegistry } from './bootstrap.js';

await runService('glimpse-registry', startRegistry);
