import { z } from 'zod';
import { Timestamp } from './image.js';
import { Transfer } from './transfer.js';

export const taskTypes = ['import', 'api_image_import', 'location_import'] as const;
export const TaskType = z.enum(taskTypes);
export type TaskType = z.output<typeof TaskType>;

export const taskStatuses = ['pending', 'processing', 'success', 'failure'] as const;
export const TaskStatus = z.enum(taskStatuses);
export type TaskStatus = z.output<typeof TaskStatus>;

/** Columns that a list of tasks can be ordered by. */
export const taskSortKeys = [
  'id',
  'type',
  'status',
  'owner',
  'expires_at',
  'image_id',
  'request_id',
  'user_id',
  'created_at',
  'updated_at',
  'deleted_at',
  'deleted',
] as const;
export const TaskSortKey = z.enum(taskSortKeys);
export type TaskSortKey = z.output<typeof TaskSortKey>;

/** Columns whose exact value a list of tasks can be filtered by. */
export const taskFilters = ['type', 'status', 'owner', 'image_id', 'request_id', 'user_id'] as const;
export const TaskFilter = z.enum(taskFilters);
export type TaskFilter = z.output<typeof TaskFilter>;

/** A task without what it was given and what came of it. */
export const TaskSummary = z.object({
  id: z.string(),
  type: z.string(),
  status: TaskStatus,
  owner: z.string(),
  imageId: z.string().nullable(),
  requestId: z.string().nullable(),
  userId: z.string().nullable(),
  expiresAt: Timestamp.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type TaskSummary = z.output<typeof TaskSummary>;

const JsonObject = z.record(z.string(), z.unknown());

/** Something that is done in the background, as clients see it; the work itself is a job's. */
export const Task = TaskSummary.extend({
  input: JsonObject.nullable(),
  result: JsonObject.nullable(),
  message: z.string().nullable(),
  /** How far the work has come, while it goes on; left out by registries of an earlier release. */
  progress: Transfer.nullable().optional(),
});
export type Task = z.output<typeof Task>;

/** A request for a list of tasks, parsed from the query string by the gateway. */
export const TaskQuery = z.object({
  /** 0 gives an empty list. */
  limit: z.int().min(0),
  marker: z.string().optional(),
  sortKey: TaskSortKey,
  sortDirection: z.enum(['asc', 'desc']),
  filters: z.partialRecord(TaskFilter, z.string()),
});
export type TaskQuery = z.output<typeof TaskQuery>;
