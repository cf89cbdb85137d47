import type { TaskSummary } from '@glimpse/contracts';

/** A task as Glance's notifications show it: what it was given and what came of it are withheld. `now` stands in for a time to expire. */
export const taskPayload = (task: TaskSummary, now: string) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  result: null,
  owner: task.owner,
  message: null,
  expires_at: task.expiresAt ?? now,
  created_at: task.createdAt,
  updated_at: task.updatedAt,
  deleted: false,
  deleted_at: null,
});

/** The task as it was before its work was begun: what is told when that is over. */
export const taskBeforeItsRun = (task: TaskSummary): TaskSummary => ({
  ...task,
  status: 'pending',
  expiresAt: null,
  updatedAt: task.createdAt,
});
