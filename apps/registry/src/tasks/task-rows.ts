import { type Task, TaskStatus, type TaskSummary, type Transfer } from '@glimpse/contracts';
import { type TaskInfoRow, type TaskRow, fromDatabaseTime } from '@glimpse/persistence';
import { describeTransfer } from '../transfers/describe-transfer.js';

export type ReadTaskRow = TaskRow & Partial<Pick<TaskInfoRow, 'input' | 'result' | 'message'>>;

/** A task's row without what it was given and what came of it. */
export function toTaskSummary(row: TaskRow): TaskSummary {
  return {
    id: row.id,
    type: row.type,
    status: TaskStatus.parse(row.status),
    owner: row.owner,
    imageId: row.image_id,
    requestId: row.request_id,
    userId: row.user_id,
    expiresAt: row.expires_at === null ? null : fromDatabaseTime(row.expires_at),
    createdAt: fromDatabaseTime(row.created_at),
    updatedAt: fromDatabaseTime(row.updated_at ?? row.created_at),
  };
}

/** `transfer` is what is being done for the task. */
export const toTask = (row: ReadTaskRow, transfer?: Transfer): Task => ({
  ...toTaskSummary(row),
  input: parseObject(row.input),
  result: parseObject(row.result),
  message: transfer === undefined ? (row.message ?? null) : describeTransfer(transfer),
  progress: transfer ?? null,
});

/** What is stored is JSON; an object, but for what others may have written. */
function parseObject(text: string | null | undefined): Record<string, unknown> | null {
  if (text === null || text === undefined || text === '') return null;
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : null;
}
