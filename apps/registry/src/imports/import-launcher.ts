import { randomUUID } from 'node:crypto';
import { type Caller, type Image, type ImportSource, type ImportStep, imageEvents } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { moveImage } from '../images/image-state.js';
import { JobQueue } from '../jobs/job-queue.js';
import { ImageNotices } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { TaskRecords } from '../tasks/task-records.js';
import { ImportEnds } from './import-ends.js';
import { markImport } from './import-marks.js';

/** What the quotas say beforehand: the bytes that may come, or why none may. */
export type Admission = { readonly left: number } | { readonly refusal: string };

/** An import that may begin. */
export interface Launch {
  /** The image that the transaction holds. */
  readonly image: Image;
  readonly type: 'api_image_import' | 'import';
  /** What the task shows of what it was given. */
  readonly input: object;
  readonly admission: Admission;
  readonly source: ImportSource;
  readonly storeIds: readonly string[];
  readonly allMustSucceed: boolean;
  readonly steps: readonly ImportStep[];
  /** Those of the data. */
  readonly diskFormat: string;
  readonly containerFormat: string;
}

/** Sets imports going: the marks on the image, the task that clients see and the job that does the work. */
@Injectable()
export class ImportLauncher {
  constructor(
    private readonly reader: ImageReader,
    private readonly tasks: TaskRecords,
    private readonly ends: ImportEnds,
    private readonly jobs: JobQueue,
    private readonly notices: ImageNotices,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Answers with the id of the task, which has failed already where only a quota stands against the import. */
  async launch(tx: Transaction, ctx: Caller, launch: Launch): Promise<string> {
    const { image, type, input, admission, source, steps, diskFormat, containerFormat } = launch;
    const storeIds = [...launch.storeIds];
    const taskId = await this.tasks.beginAlone(tx, ctx, { type, imageId: image.id, input });
    await this.audit.changed(tx, ctx, { action: 'create', on: 'task', id: taskId });
    await this.mark(tx, image, storeIds);
    if ('refusal' in admission) {
      await this.began(tx, { taskId, imageId: image.id, isCopy: source.kind === 'copy' });
      const hadNoData = true;
      await this.ends.fail(tx, image.id, { taskId, reason: admission.refusal, storeIds, hadNoData });
      return taskId;
    }
    const { imageSizeCap } = this.settings.config.limits;
    const payload = {
      imageId: image.id,
      taskId,
      importId: randomUUID(),
      ctx,
      source,
      storeIds,
      allMustSucceed: launch.allMustSucceed,
      diskFormat,
      containerFormat,
      sizeCap: Math.min(imageSizeCap, Math.floor(admission.left / storeIds.length)),
      steps: [...steps],
    };
    await this.jobs.enqueue(tx, 'import', payload, { owner: image.owner });
    return taskId;
  }

  /** Somebody is at work on it: what clients see of that, and what others are notified of, the first time. */
  async began(
    tx: Transaction,
    begun: { readonly taskId: string; readonly imageId: string; readonly isCopy: boolean },
  ): Promise<void> {
    const task = await this.tasks.process(tx, begun.taskId);
    if (task === undefined) return;
    const isNew = task.type === 'import';
    await this.notices.importBegan(tx, begun.imageId, { isCopy: begun.isCopy, isNew });
  }

  /** The image is being imported from now on; one that is copied stays as it is. */
  private async mark(tx: Transaction, image: Image, storeIds: readonly string[]): Promise<void> {
    const now = this.clock.databaseNow();
    await markImport(tx, image, { importing: storeIds, failed: [] }, now);
    if (image.status !== 'active')
      await moveImage(tx, image.id, { from: image.status, to: 'importing', now });
    else await tx.execute('UPDATE images SET updated_at = ? WHERE id = ?', [now, image.id]);
    const after = await this.reader.findIn(tx, image.id);
    if (after !== undefined)
      await this.outbox.write(
        tx,
        imageEvents.updated,
        image.id,
        { image: after.image },
        // As Glance does it, when the work begins.
        { isNotified: false },
      );
  }
}
