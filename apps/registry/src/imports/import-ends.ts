import { type Image, imageEvents, isServiceError } from '@glimpse/contracts';
import type { TaskRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { moveImage } from '../images/image-state.js';
import { ImagesRepository } from '../images/images.repository.js';
import type { StoredImage } from '../images/stored-image.js';
import { ImageNotices } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { SnapshotEnds } from '../snapshots/snapshot-ends.js';
import { TaskRecords } from '../tasks/task-records.js';
import { markImport } from './import-marks.js';
import { StagedData } from './staged-data.js';

/** An import that came to nothing. */
export interface FailedImport {
  readonly taskId: string;
  readonly reason: string;
  /** The code of the error, where it is known. */
  readonly code?: string | undefined;
  /** The stores that failed. */
  readonly storeIds: readonly string[];
  /** The data could not be had: nothing was written to any store. */
  readonly hadNoData?: boolean | undefined;
}

/** How imports end that come to nothing (the table of spec/api-images.md section 10.4). */
@Injectable()
export class ImportEnds {
  constructor(
    private readonly held: HeldImages,
    private readonly repository: ImagesRepository,
    private readonly staged: StagedData,
    private readonly tasks: TaskRecords,
    private readonly notices: ImageNotices,
    private readonly snapshots: SnapshotEnds,
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

  /**
   * importing → queued; one that was only copied stays active, and one that was made for the import is gone. The task fails, the
   * lock is dropped.
   */
  async fail(tx: Transaction, imageId: string, failed: FailedImport): Promise<void> {
    const { taskId, reason, storeIds, hadNoData = false } = failed;
    const stored = await this.hold(tx, imageId);
    const wasMadeForTask = await this.wasMadeForTask(tx, taskId);
    const error = { code: failed.code ?? 'TRANSFER_ABORTED', message: reason };
    const wasSnapshot = await this.snapshots.fail(tx, imageId, error);
    if (stored !== undefined && (await this.tasks.isLive(tx, taskId))) {
      await this.tasks.free(tx, taskId, imageId);
      const now = this.clock.databaseNow();
      await markImport(tx, stored.image, { importing: [], failed: storeIds }, now);
      const isBack = await moveImage(tx, imageId, { from: 'importing', to: 'queued', now });
      const written = hadNoData ? [] : storeIds;
      await this.notices.importFailed(tx, stored.image, { ...failed, storeIds: written });
      if (isBack) {
        await this.staged.discard(tx, imageId);
        await this.outbox.write(tx, imageEvents.uploadFailed, imageId, { imageId, reason });
        if (wasMadeForTask || wasSnapshot) await this.withdraw(tx, { ...stored.image, status: 'queued' });
      }
    }
    await this.tasks.fail(tx, taskId, reason, hadNoData || wasMadeForTask);
  }

  /** A task of the tasks API made the image, and nobody was told of it. */
  private async wasMadeForTask(tx: Transaction, taskId: string): Promise<boolean> {
    const [task] = await tx.query<Pick<TaskRow, 'type'>>('SELECT type FROM tasks WHERE id = ?', [taskId]);
    return task?.type === 'import';
  }

  /** The image never had data, and is gone for everybody. The transaction holds it as it is given. */
  async withdraw(tx: Transaction, image: Image): Promise<void> {
    const now = this.clock.databaseNow();
    const { id: imageId } = image;
    const status = 'deleted';
    await moveImage(tx, imageId, {
      from: image.status,
      to: status,
      now,
      set: { deleted: 1, deleted_at: now },
    });
    await this.repository.deleteChildren(tx, imageId, now, status);
    await this.outbox.write(tx, imageEvents.deleted, imageId, { imageId, image: { ...image, status } });
  }
}
