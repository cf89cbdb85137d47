import { randomUUID } from 'node:crypto';
import { type Caller, type TaskSummary, type TaskType, taskEvents } from '@glimpse/contracts';
import { type TaskRow, type Transaction, fromDatabaseTime, toDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { info } from '../notifications/notice.js';
import { NotificationWriter } from '../notifications/notification.writer.js';
import { taskBeforeItsRun, taskPayload } from '../notifications/task-payload.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImportLocks } from './import-locks.js';
import { toTaskSummary } from './task-rows.js';

const HOUR_MS = 3_600_000;
/** How often the progress of a task is written down; its columns hold whole seconds. */
const PROGRESS_EVERY_MS = 60_000;

/** Lengths of Glance's columns. */
const MAX_REQUEST_ID = 64;
const MAX_USER_ID = 64;

/** What a task is about. */
export interface NewTask {
  readonly type: TaskType;
  readonly imageId?: string;
  readonly input: object;
}

/**
 * What clients see of work in the background: a row of Glance's `tasks` beside the job that does the work, changed in
 * the same transactions. A task that has ended never changes again.
 */
@Injectable()
export class TaskRecords {
  constructor(
    private readonly locks: ImportLocks,
    private readonly outbox: OutboxWriter,
    private readonly notifications: NotificationWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Writes down that a task is to be done; answers with its id. */
  async begin(tx: Transaction, ctx: Caller, { type, imageId, input }: NewTask): Promise<string> {
    const id = randomUUID();
    const now = this.clock.databaseNow();
    const row: TaskRow = {
      id,
      type,
      status: 'pending',
      owner: ctx.projectId ?? '',
      expires_at: null,
      image_id: imageId ?? null,
      request_id: ctx.requestId.slice(0, MAX_REQUEST_ID),
      user_id: ctx.userId?.slice(0, MAX_USER_ID) ?? null,
      created_at: now,
      updated_at: now,
      deleted_at: null,
      deleted: 0,
    };
    await tx.insert('tasks', [row]);
    await tx.insert('task_info', [{ task_id: id, input: JSON.stringify(input), message: '' }]);
    await this.announce(tx, taskEvents.created, row);
    return id;
  }

  /** As `begin`, for a task that works on an image alone. Throws IMAGE_STATUS_CONFLICT where another one does. */
  async beginAlone(tx: Transaction, ctx: Caller, task: NewTask & { imageId: string }): Promise<string> {
    const id = await this.begin(tx, ctx, task);
    await this.locks.take(tx, task.imageId, id);
    return id;
  }

  /** pending → processing; answers with the task where it was not begun before. */
  async process(tx: Transaction, id: string): Promise<TaskSummary | undefined> {
    const matched = await tx.execute(
      "UPDATE tasks SET status = 'processing', updated_at = ? WHERE id = ? AND status = 'pending'",
      [this.clock.databaseNow(), id],
    );
    const row = matched === 1 ? await find(tx, id) : undefined;
    return row === undefined ? undefined : this.announce(tx, taskEvents.started, row);
  }

  /** Lets others have the image that the task worked on alone, before it ends. */
  async free(tx: Transaction, id: string, imageId: string): Promise<void> {
    await this.locks.release(tx, imageId, id);
  }

  /** Shows that the task goes on, at most once a minute. */
  async report(tx: Transaction, id: string, message: string): Promise<void> {
    const matched = await tx.execute(
      "UPDATE tasks SET updated_at = ? WHERE id = ? AND status = 'processing' AND updated_at <= ?",
      [this.clock.databaseNow(), id, toDatabaseTime(this.clock.now() - PROGRESS_EVERY_MS)],
    );
    if (matched === 1) await tx.execute('UPDATE task_info SET message = ? WHERE task_id = ?', [message, id]);
  }

  /** Whether the task has not ended. */
  async isLive(tx: Transaction, id: string): Promise<boolean> {
    const rows = await tx.query("SELECT id FROM tasks WHERE id = ? AND status IN ('pending', 'processing')", [
      id,
    ]);
    return rows.length === 1;
  }

  /** The task is done; the image that it worked on alone is free for others. */
  async succeed(tx: Transaction, id: string, result: object | null, message = ''): Promise<void> {
    const ended = await this.end(tx, id, 'success');
    if (ended === undefined) return;
    await tx.execute('UPDATE task_info SET result = ?, message = ? WHERE task_id = ?', [
      result === null ? null : JSON.stringify(result),
      message,
      id,
    ]);
    await this.announce(tx, taskEvents.succeeded, ended);
  }

  /**
   * The task came to nothing; the image that it worked on alone is free for others. `wasExpected`: in a way that Glance's
   * tasks are ready for, so that it notifies of the end of their run.
   */
  async fail(tx: Transaction, id: string, message: string, wasExpected = false): Promise<void> {
    const ended = await this.end(tx, id, 'failure');
    if (ended === undefined) return;
    await tx.execute('UPDATE task_info SET message = ? WHERE task_id = ?', [message, id]);
    const task = await this.announce(tx, taskEvents.failed, ended);
    if (wasExpected)
      await this.notifications.write(tx, task.imageId ?? id, [
        info('task.run', taskPayload(taskBeforeItsRun(task), fromDatabaseTime(this.clock.databaseNow()))),
      ]);
  }

  private async announce(
    tx: Transaction,
    event: (typeof taskEvents)[keyof typeof taskEvents],
    row: TaskRow,
  ): Promise<TaskSummary> {
    const task = toTaskSummary(row);
    await this.outbox.write(tx, event, task.imageId ?? task.id, { task });
    return task;
  }

  /** Answers with the task as it ended; undefined where it had ended before. */
  private async end(
    tx: Transaction,
    id: string,
    status: 'success' | 'failure',
  ): Promise<TaskRow | undefined> {
    const { timeToLiveHours } = this.settings.config.tasks;
    const matched = await tx.execute(
      `UPDATE tasks SET status = ?, updated_at = ?, expires_at = ?
        WHERE id = ? AND status IN ('pending', 'processing')`,
      [status, this.clock.databaseNow(), toDatabaseTime(this.clock.now() + timeToLiveHours * HOUR_MS), id],
    );
    const row = await find(tx, id);
    if (row !== undefined && row.image_id !== null) await this.locks.release(tx, row.image_id, id);
    return matched === 1 ? row : undefined;
  }
}

async function find(tx: Transaction, id: string): Promise<TaskRow | undefined> {
  const [row] = await tx.query<TaskRow>('SELECT * FROM tasks WHERE id = ?', [id]);
  return row;
}
