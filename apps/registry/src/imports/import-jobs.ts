import {
  type Image,
  type ImageLocation,
  type JobPayload,
  type JobResult,
  type WireError,
  attemptIdOf,
  imageEvents,
  isServiceError,
} from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { moveImage } from '../images/image-state.js';
import type { StoredImage } from '../images/stored-image.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { JobQueue } from '../jobs/job-queue.js';
import { ImageLocations } from '../locations/image-locations.js';
import { ImageNotices } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { SnapshotEnds } from '../snapshots/snapshot-ends.js';
import { TaskRecords } from '../tasks/task-records.js';
import { broughtProperties } from './brought-properties.js';
import { ImportEnds } from './import-ends.js';
import { ImportLauncher } from './import-launcher.js';
import { injectedProperties } from './injected-properties.js';
import { markImport } from './import-marks.js';
import { StagedData } from './staged-data.js';

type Payload = JobPayload<'import'>;
type Result = JobResult<'import'>;
type Data = NonNullable<Result['data']>;

const MEBIBYTE = 1_048_576;
const copied = (bytes: number) => `Copied ${Math.floor(bytes / MEBIBYTE)} MiB`;
const reasonsOf = (failed: Result['failed']) =>
  failed.map(({ storeId, reason }) => `${storeId}: ${reason}`).join('; ');

/** What follows from the job of an import as it goes: for the image, its locations and the task. */
@Injectable()
export class ImportJobs {
  constructor(
    private readonly ends: ImportEnds,
    private readonly snapshots: SnapshotEnds,
    private readonly launcher: ImportLauncher,
    private readonly notices: ImageNotices,
    private readonly reader: ImageReader,
    private readonly locations: ImageLocations,
    private readonly staged: StagedData,
    private readonly tasks: TaskRecords,
    private readonly quotas: ProjectQuotas,
    private readonly jobs: JobQueue,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  readonly import: JobEffect<'import'> = {
    kind: 'import',
    started: (tx, { taskId, imageId, source }) =>
      this.launcher.began(tx, { taskId, imageId, isCopy: source.kind === 'copy' }),
    progressed: (tx, { taskId }, { bytesDone }) => this.tasks.report(tx, taskId, copied(bytesDone)),
    completed: (tx, payload, result) => this.conclude(tx, payload, result),
    failed: (tx, payload, error) => this.giveUp(tx, payload, error),
  };

  /** The end of an import whose leftovers had to be removed first. */
  readonly cleanUp: JobEffect<'delete-data'> = {
    kind: 'delete-data',
    completed: (tx, payload) => this.endAfterwards(tx, payload),
    // What is left lies in a store that nobody knows any more.
    failed: (tx, payload) => this.endAfterwards(tx, payload),
  };

  private async conclude(tx: Transaction, payload: Payload, { data, stored, failed }: Result): Promise<void> {
    const { imageId, taskId } = payload;
    const locations = stored.map(({ location }) => location);
    const refusal = data === null ? undefined : await this.refusalOf(tx, payload, data.size * stored.length);
    const image = await this.ends.hold(tx, imageId);
    if (image === undefined || !(await this.tasks.isLive(tx, taskId)) || !isAwaited(image, payload)) {
      await this.remove(tx, imageId, locations);
      const message = 'The image was deleted or changed in the meantime.';
      await this.tasks.fail(tx, taskId, message);
      await this.snapshots.fail(tx, imageId, { code: 'IMAGE_LOST_RACE', message });
      return;
    }
    if (refusal !== undefined) {
      // Its name may be another upload's as soon as the image is queued.
      const endsImport = { taskId, reason: refusal, code: 'QUOTA_EXCEEDED', storeIds: payload.storeIds };
      await this.jobs.enqueue(tx, 'delete-data', { imageId, locations, endsImport });
    } else if (data === null || stored.length === 0)
      await this.ends.fail(tx, imageId, {
        taskId,
        reason: reasonsOf(failed),
        storeIds: failed.map(({ storeId }) => storeId),
      });
    else await this.succeed(tx, payload, { image, data, stored, failed });
  }

  /** Data of unknown size was let in without knowing what it would come to. */
  private async refusalOf(
    tx: Transaction,
    { imageId, ctx, source, steps }: Payload,
    bytes: number,
  ): Promise<string | undefined> {
    if (source.kind === 'copy' || (source.kind === 'staged' && steps.length === 0)) return undefined;
    try {
      await this.quotas.admitStored(tx, ctx, imageId, bytes);
      return undefined;
    } catch (error) {
      if (isServiceError(error, 'QUOTA_EXCEEDED')) return error.message;
      throw error;
    }
  }

  private async succeed(
    tx: Transaction,
    { imageId, taskId, ctx, source }: Payload,
    outcome: {
      image: StoredImage;
      data: Data;
      stored: Result['stored'];
      failed: Result['failed'];
    },
  ): Promise<void> {
    const { image, data, stored, failed } = outcome;
    const now = this.clock.databaseNow();
    const failedStores = failed.map(({ storeId }) => storeId);
    const injected = source.kind === 'copy' ? {} : injectedProperties(ctx, this.settings.config.import);
    const more = broughtProperties({ ...data.properties, ...injected }, image.image.properties);
    await markImport(tx, image.image, { importing: [], failed: failedStores }, now, more);
    if (source.kind !== 'copy') await this.locations.forgetUnverified(tx, imageId);
    for (const { location } of stored) await this.locations.add(tx, imageId, location);
    if (source.kind === 'copy')
      await tx.execute('UPDATE images SET updated_at = ? WHERE id = ?', [now, imageId]);
    else
      await moveImage(tx, imageId, {
        from: 'importing',
        to: 'active',
        now,
        set: {
          size: data.size,
          virtual_size: data.virtualSize,
          checksum: data.checksum,
          os_hash_algo: data.osHashAlgo,
          os_hash_value: data.osHashValue,
          ...(data.diskFormat === undefined ? {} : { disk_format: data.diskFormat }),
          ...(data.containerFormat === undefined ? {} : { container_format: data.containerFormat }),
        },
      });
    await this.staged.discard(tx, imageId);
    await this.audit.changed(tx, ctx, { action: 'update', on: 'data', id: imageId });
    const missing = failed.length === 0 ? '' : `; not stored in ${reasonsOf(failed)}`;
    await this.tasks.free(tx, taskId, imageId);
    await this.announce(tx, { before: image.image, isCopy: source.kind === 'copy', stored, failed });
    await this.tasks.succeed(tx, taskId, { image_id: imageId }, `${copied(data.size)}${missing}`);
  }

  private async announce(
    tx: Transaction,
    done: { before: Image; isCopy: boolean; stored: Result['stored']; failed: Result['failed'] },
  ): Promise<void> {
    const { before, isCopy, stored, failed } = done;
    const after = (await this.reader.findIn(tx, before.id))?.image;
    if (after === undefined) return;
    const storeIds = stored.map(({ storeId }) => storeId);
    await this.notices.imported(tx, { before, after, storeIds, failed, isCopy });
    const event = isCopy ? imageEvents.updated : imageEvents.activated;
    await this.outbox.write(tx, event, before.id, { image: after });
    if (!isCopy) await this.snapshots.complete(tx, after);
  }

  /** It will not be tried again, and its attempts may have left something: the import ends when that is removed. */
  private async giveUp(tx: Transaction, payload: Payload, { code, message }: WireError): Promise<void> {
    const { imageId, taskId, storeIds } = payload;
    await this.jobs.enqueue(tx, 'delete-data', {
      imageId,
      locations: [],
      leftovers: leftoversOf(payload, this.settings.config.import.maxAttempts),
      endsImport: { taskId, reason: message, code, storeIds, hadNoData: hadNoData(payload, code) },
    });
  }

  private async endAfterwards(
    tx: Transaction,
    { imageId, endsImport }: JobPayload<'delete-data'>,
  ): Promise<void> {
    if (endsImport !== undefined) await this.ends.fail(tx, imageId, endsImport);
  }

  private async remove(tx: Transaction, imageId: string, locations: readonly ImageLocation[]): Promise<void> {
    if (locations.length > 0)
      await this.jobs.enqueue(tx, 'delete-data', { imageId, locations: [...locations] });
  }
}

/** What only turns up when data is written to a store. */
const ofStores: ReadonlySet<string> = new Set([
  'IMAGE_FORMAT_REFUSED',
  'STORE_FULL',
  'STORE_WRITE_DENIED',
  'STORE_FORBIDDEN',
  'STORE_OBJECT_DUPLICATE',
]);

/** Whether an import failed before there was anything to be written: what is staged, or stored, is there. */
const hadNoData = ({ source: { kind } }: Payload, code: string): boolean =>
  kind !== 'staged' && kind !== 'copy' && !ofStores.has(code);

/** Whether the image is still what the import was begun for. */
function isAwaited({ image }: StoredImage, { source }: Payload): boolean {
  return source.kind === 'copy'
    ? image.status === 'active' || image.status === 'deactivated'
    : image.status === 'importing';
}

/** What the attempts at an import may have left in its stores. */
export const leftoversOf = ({ importId, storeIds }: Payload, attempts: number) =>
  storeIds.flatMap((storeId) =>
    Array.from({ length: attempts }, (_, index) => ({
      storeId,
      uploadId: attemptIdOf(importId, index + 1),
    })),
  );
