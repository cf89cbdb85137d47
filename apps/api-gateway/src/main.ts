import { onBroker, runService } from '@glimpse/runtime';
import { startApiGateway } from './bootstrap.js';

await runService('glimpse-api', onBroker(startApiGateway));
