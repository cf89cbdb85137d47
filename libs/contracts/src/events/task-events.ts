import { z } from 'zod';
import { TaskSummary } from '../domain/task.js';
import { event } from '../event.js';

/** Without what the task was given and what it answered: both may hold what only its owner is to know. */
const TaskChanged = z.object({ task: TaskSummary });

/**
 * Facts about tasks, the work in the background that clients see; the subject is the id of the image that the task works
 * on, else the task's.
 */
export const taskEvents = {
  created: event('task.created', { payload: TaskChanged }),
  /** Somebody is at work on it. */
  started: event('task.started', { payload: TaskChanged }),
  succeeded: event('task.succeeded', { payload: TaskChanged }),
  failed: event('task.failed', { payload: TaskChanged }),
} as const;
