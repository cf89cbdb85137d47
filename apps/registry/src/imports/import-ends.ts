import { imageEvents, isServiceError } from '@glimpse/contracts';
import type { TaskRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { moveImage } from '../images/image-state.js';
import { ImagesRepository } from '../images/images.repository.js';
import type { StoredImage } from '../images/stored-image.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { TaskRecords } from '../tasks/task-records.js';
import { markImport } from './import-marks.js';
import { StagedData } from './staged-data.js';

/** An import that came to nothing. */
export interface FailedImport {
  readonly taskId: string;
  readonly reason: string;
  /** The stores that failed. */
  readonly storeIds: readonly string[];
}

/** How imports end that come to nothing (the table of spec/api-images.md section 10.4). */
@Injectable()
export class ImportEnds {
  constructor(
    private readonly held: HeldImages,
    private readonly repository: ImagesRepository,
    private readonly staged: StagedData,
    private readonly tasks: TaskRecords,
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
  ) {}

  /** The image that the transaction holds from now on; undefined where it is gone. */
  async hold(tx: Transaction, imageId: string): Promise<StoredImage | undefined> {
    try {
      return await this.held.hold(tx, imageId);
    } catch (error) {
      if (isServiceError(error, 'IMAGE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** importing → queued; one that was only copied stays active. The task fails, the lock is dropped. */
  async fail(tx: Transaction, imageId: string, { taskId, reason, storeIds }: FailedImport): Promise<void> {
    const stored = await this.hold(tx, imageId);
    if (stored !== undefined && (await this.tasks.isLive(tx, taskId))) {
      const now = this.clock.databaseNow();
      await markImport(tx, stored.image, { importing: [], failed: storeIds }, now);
      if (await moveImage(tx, imageId, { from: 'importing', to: 'queued', now })) {
        await this.staged.discard(tx, imageId);
        await this.outbox.write(tx, imageEvents.uploadFailed, imageId, { imageId, reason });
        if (await this.wasMadeForTask(tx, taskId)) await this.withdraw(tx, imageId, now);
      }
    }
    await this.tasks.fail(tx, taskId, reason);
  }

  /** A task of the tasks API made the image, and nobody was told of it. */
  private async wasMadeForTask(tx: Transaction, taskId: string): Promise<boolean> {
    const [task] = await tx.query<Pick<TaskRow, 'type'>>('SELECT type FROM tasks WHERE id = ?', [taskId]);
    return task?.type === 'import';
  }

  private async withdraw(tx: Transaction, imageId: string, now: string): Promise<void> {
    await moveImage(tx, imageId, {
      from: 'queued',
      to: 'deleted',
      now,
      set: { deleted: 1, deleted_at: now },
    });
    await this.repository.deleteChildren(tx, imageId, now, 'deleted');
    await this.outbox.write(tx, imageEvents.deleted, imageId, { imageId });
  }
}
