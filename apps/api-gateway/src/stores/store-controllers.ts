import { ImportInfoController } from '../imports/import-info.controller.js';
import { ImportsController } from '../imports/imports.controller.js';
import { LocationsController } from '../locations/locations.controller.js';
import { TasksController } from '../tasks/tasks.controller.js';
import { StoresController } from './stores.controller.js';

/** Where data is, and what brings it there. */
export const storeControllers = [
  StoresController,
  LocationsController,
  TasksController,
  ImportInfoController,
  ImportsController,
];
