import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageId } from '../domain/image.js';
import { NewImage } from '../domain/new-image.js';
import { Task, TaskQuery, TaskSummary, TaskType } from '../domain/task.js';
import { rpc } from '../rpc.js';

export const registryTasks = {
  /** Codes: ACTION_FORBIDDEN, MARKER_NOT_FOUND. */
  list: rpc('registry.task.list', {
    request: z.object({ ctx: Caller, query: TaskQuery }),
    response: z.object({ tasks: z.array(TaskSummary), isFullPage: z.boolean() }),
  }),
  /** Codes: ACTION_FORBIDDEN, TASK_NOT_FOUND. */
  get: rpc('registry.task.get', { request: z.object({ ctx: Caller, id: z.string() }), response: Task }),
  /** Codes: ACTION_FORBIDDEN, REQUEST_INVALID, and of `import` those of creating an image. */
  create: rpc('registry.task.create', {
    request: z.object({
      ctx: Caller,
      type: TaskType,
      input: z.record(z.string(), z.unknown()),
      /** With `import`: the image that is to be made. */
      image: NewImage.optional(),
    }),
    response: Task,
  }),
  /** The tasks that worked or work on an image; of others than admins only their own. Codes: IMAGE_NOT_FOUND. */
  listOfImage: rpc('registry.task.listOfImage', {
    request: z.object({ ctx: Caller, id: ImageId }),
    response: z.object({ tasks: z.array(Task) }),
  }),
} as const;
