import { ServiceError } from '@glimpse/contracts';
import { type TaskRow, type Transaction, UniqueViolation, toDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';

/** The property by which Glance keeps other tasks from an image; its value is the task's id. */
const IMPORT_LOCK = 'os_glance_import_task';

const MINUTE_MS = 60_000;
/** A task that was silent for so long is dead: Glance's own bounds, for tasks that a Glance left behind. */
const DEAD_AFTER_MS = { processing: 60 * MINUTE_MS, pending: 120 * MINUTE_MS };

type Holder = Pick<TaskRow, 'id' | 'status' | 'updated_at' | 'deleted'>;

/**
 * The right of one task to work on an image alone (spec/api-images.md section 10.5). It ends with the task; one whose
 * task is gone, has ended or is dead is broken by the next.
 */
@Injectable()
export class ImportLocks {
  constructor(private readonly clock: Clock) {}

  /** Throws IMAGE_STATUS_CONFLICT where another task is at work. */
  async take(tx: Transaction, imageId: string, taskId: string): Promise<void> {
    await this.assertFree(tx, imageId);
    const now = this.clock.databaseNow();
    try {
      await tx.insert('image_properties', [
        {
          image_id: imageId,
          name: IMPORT_LOCK,
          value: taskId,
          created_at: now,
          updated_at: now,
          deleted: 0,
        },
      ]);
    } catch (error) {
      throw error instanceof UniqueViolation ? conflict(error) : error;
    }
  }

  /** Breaks the lock of a dead task. Throws IMAGE_STATUS_CONFLICT where a task is at work. */
  async assertFree(tx: Transaction, imageId: string): Promise<void> {
    const [held] = await tx.query<{ value: string | null }>(
      'SELECT value FROM image_properties WHERE image_id = ? AND name = ?',
      [imageId, IMPORT_LOCK],
    );
    if (held !== undefined) await this.breakOrRefuse(tx, imageId, held.value ?? '');
  }

  /** Frees the image, if it is that task that has it. */
  async release(tx: Transaction, imageId: string, taskId: string): Promise<void> {
    // Removed for good, as Glance does: the unique key of the row is the lock.
    await tx.execute('DELETE FROM image_properties WHERE image_id = ? AND name = ? AND value = ?', [
      imageId,
      IMPORT_LOCK,
      taskId,
    ]);
  }

  private async breakOrRefuse(tx: Transaction, imageId: string, taskId: string): Promise<void> {
    const [holder] = await tx.query<Holder>(
      'SELECT id, status, updated_at, deleted FROM tasks WHERE id = ?',
      [taskId],
    );
    if (holder !== undefined && this.isAlive(holder)) throw conflict();
    await this.release(tx, imageId, taskId);
    await tx.execute(
      "UPDATE tasks SET status = 'failure', updated_at = ? WHERE id = ? AND status IN ('pending', 'processing')",
      [this.clock.databaseNow(), taskId],
    );
  }

  private isAlive({ status, updated_at, deleted }: Holder): boolean {
    if (deleted === 1 || (status !== 'pending' && status !== 'processing')) return false;
    return (updated_at ?? '') > toDatabaseTime(this.clock.now() - DEAD_AFTER_MS[status]);
  }
}

const conflict = (cause?: unknown) =>
  new ServiceError(
    'IMAGE_STATUS_CONFLICT',
    'Another task is at work on the image; try again when it has ended',
    {
      cause,
    },
  );
