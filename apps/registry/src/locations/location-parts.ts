import { StoresRpc } from '../stores/stores.rpc.js';
import { StoresService } from '../stores/stores.service.js';
import { ImportLocks } from '../tasks/import-locks.js';
import { TaskRecords } from '../tasks/task-records.js';
import { TasksRpc } from '../tasks/tasks.rpc.js';
import { TasksService } from '../tasks/tasks.service.js';
import { ImageLocations } from './image-locations.js';
import { LocationEdits } from './location-edits.js';
import { LocationImports } from './location-imports.js';
import { LocationProbe } from './location-probe.js';
import { LocationStores } from './location-stores.js';
import { LocationsRpc } from './locations.rpc.js';
import { LocationsService } from './locations.service.js';

/** What answers calls about locations, stores and tasks. */
export const locationControllers = [LocationsRpc, StoresRpc, TasksRpc];

/** Everything about where data is and about the tasks that bring it there. */
export const locationProviders = [
  ImageLocations,
  LocationEdits,
  LocationImports,
  LocationProbe,
  LocationStores,
  LocationsService,
  StoresService,
  ImportLocks,
  TaskRecords,
  TasksService,
];
