import type { Task, TaskSummary } from '@glimpse/contracts';
import { toProgressView } from '../progress/transfer-view.js';

export const taskPath = (id: string): string => `/v2/tasks/${encodeURIComponent(id)}`;

/** A task in a list; what is not set is left out. */
export function toTaskStub(task: TaskSummary) {
  return {
    id: task.id,
    type: task.type,
    status: task.status,
    owner: task.owner,
    ...(task.expiresAt === null ? {} : { expires_at: task.expiresAt }),
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    ...(task.imageId === null ? {} : { image_id: task.imageId }),
    ...(task.requestId === null ? {} : { request_id: task.requestId }),
    ...(task.userId === null ? {} : { user_id: task.userId }),
    self: taskPath(task.id),
    schema: '/v2/schemas/task',
  };
}

/** Glance has no progress: it is left out where there is none. */
const progressOf = ({ progress }: Task) => (progress == null ? {} : { progress: toProgressView(progress) });

export const toTaskView = (task: Task) => ({
  ...toTaskStub(task),
  input: task.input,
  result: task.result,
  message: task.message ?? '',
  ...progressOf(task),
});

/** `YYYY-MM-DDTHH:MM:SSZ` → `YYYY-MM-DDTHH:MM:SS.000000`. */
const rawTime = (time: string) => time.replace('Z', '.000000');

/** A task in the list of an image, which shows what Glance's database has. */
export const toRawTask = (task: Task) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  owner: task.owner,
  expires_at: task.expiresAt === null ? null : rawTime(task.expiresAt),
  created_at: rawTime(task.createdAt),
  updated_at: rawTime(task.updatedAt),
  deleted_at: null,
  deleted: false,
  image_id: task.imageId,
  request_id: task.requestId,
  user_id: task.userId,
  input: task.input,
  result: task.result,
  message: task.message,
  ...progressOf(task),
});
