import {
  type Caller,
  type DownloadTicket,
  type Image,
  type RequestOf,
  ServiceError,
  type UploadTicket,
  imageEvents,
  type registryImages,
} from '@glimpse/contracts';
import { Database, type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { Reaper } from '../leases/reaper.js';
import { UploadLeases } from '../leases/upload-leases.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImageReader } from './image-reader.js';
import { moveImage } from './image-state.js';
import { ImagesRepository } from './images.repository.js';
import { toDownloadTicket } from './download-ticket.js';
import { UploadFailures } from './upload-failures.js';

type BeginUpload = RequestOf<(typeof registryImages)['beginUpload']>;
type CommitUpload = RequestOf<(typeof registryImages)['commitUpload']>;
type AbortUpload = RequestOf<(typeof registryImages)['abortUpload']>;

const lostRace = (id: string) =>
  new ServiceError('IMAGE_LOST_RACE', `Image ${id} was changed or deleted during the upload.`);

/** The data of images: who may write it now, what was written, where it is. */
@Injectable()
export class ImageDataService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly repository: ImagesRepository,
    private readonly leases: UploadLeases,
    private readonly reaper: Reaper,
    private readonly failures: UploadFailures,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** queued → saving, for one of those who try at once. A repeated call gets the same ticket. */
  beginUpload(request: BeginUpload): Promise<UploadTicket> {
    return this.database.unitOfWork.run(async (tx) => {
      const stored = await this.reader.findIn(tx, request.id);
      if (stored === undefined) throw imageNotFound(request.id);
      const { image } = stored;
      await this.policy.enforceOnOwnImage(tx, 'upload_image', request.ctx, image);
      const held = await this.leases.find(tx, request.uploadId);
      const isRepeated = held?.image_id === image.id && held.state === 'held';
      const sizeCap = isRepeated
        ? await this.quotas.remaining(tx, request.ctx, image.owner)
        : await this.takeImage(tx, image, request);
      return {
        uploadId: request.uploadId,
        imageId: image.id,
        storeId: request.storeId,
        ...formatsOf(image),
        ...(sizeCap === undefined || request.size !== null ? {} : { sizeCap }),
      };
    });
  }

  /** Answers with the bytes that data of unknown size may come to, where there is a limit. */
  private async takeImage(tx: Transaction, image: Image, request: BeginUpload): Promise<number | undefined> {
    if (image.status !== 'queued')
      throw new ServiceError(
        'IMAGE_STATUS_CONFLICT',
        `Image status transition from ${image.status} to saving is not allowed`,
      );
    formatsOf(image);
    this.checkSize(request.size);
    const sizeCap = await this.quotas.admitUpload(tx, request.ctx, image.owner, request.size);
    const now = this.clock.databaseNow();
    const isMine = await moveImage(tx, image.id, { from: 'queued', to: 'saving', now });
    if (!isMine) throw lostRace(image.id);
    await this.takeLease(tx, { ...request, imageId: image.id });
    return sizeCap;
  }

  private async takeLease(tx: Transaction, upload: BeginUpload & { imageId: string }): Promise<void> {
    try {
      await this.leases.take(tx, upload);
    } catch (error) {
      // It was given up before it began.
      throw error instanceof UniqueViolation ? lostRace(upload.imageId) : error;
    }
  }

  private checkSize(size: number | null): void {
    const cap = this.settings.config.limits.imageSizeCap;
    if (size !== null && size > cap)
      throw new ServiceError('QUOTA_EXCEEDED', `Image exceeds the maximum size of ${cap} bytes.`);
  }

  /** saving → active, when the upload still holds the image. A repeated call after a commit succeeds. */
  async commitUpload({ ctx, uploadId, stored }: CommitUpload): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const held = await this.leases.find(tx, uploadId);
      // What was announced was let in with its size.
      if (held?.state === 'held' && held.size === null)
        await this.quotas.admitReceived(tx, ctx, held.image_id, stored.size);
      const lease = await this.leases.commit(tx, uploadId);
      if (lease.outcome === 'repeated') return;
      if (lease.outcome !== 'ended')
        throw new ServiceError('LEASE_LOST', `The upload ${uploadId} does not hold the image any more.`);
      const now = this.clock.databaseNow();
      const isActive = await moveImage(tx, lease.imageId, {
        from: 'saving',
        to: 'active',
        now,
        set: {
          size: stored.size,
          virtual_size: stored.virtualSize,
          checksum: stored.checksum,
          os_hash_algo: stored.osHashAlgo,
          os_hash_value: stored.osHashValue,
        },
      });
      // The lease stays held: until the caller has removed the data and aborted, or died and its leftovers are removed.
      if (!isActive) throw lostRace(lease.imageId);
      await this.repository.insertLocation(tx, lease.imageId, stored, now);
      await this.audit.changed(tx, ctx, { action: 'update', on: 'data', id: lease.imageId });
      const after = await this.reader.findIn(tx, lease.imageId);
      if (after !== undefined)
        await this.outbox.write(tx, imageEvents.activated, lease.imageId, { image: after.image });
    });
  }

  /** saving → queued, when the upload still holds the image. Otherwise nothing is left to do. */
  async abortUpload({ id, uploadId, reason, hasLeftovers }: AbortUpload): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      if (hasLeftovers === true) return this.reaper.reapOne(tx, uploadId);
      const lease = await this.leases.abort(tx, { uploadId, imageId: id });
      if (lease.outcome === 'ended') await this.failures.requeue(tx, lease.imageId, reason);
    });
  }

  /** The data for a caller; `choosesStores` where they say which stores to read from. */
  async openDownload(ctx: Caller, id: string, choosesStores = false): Promise<DownloadTicket> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    const { image } = stored;
    await this.policy.enforceOnImage(this.database, 'download_image', ctx, image);
    if (choosesStores) await this.policy.enforceOnImage(this.database, 'download_from_store', ctx, image);
    if (image.status === 'deactivated' && !this.policy.isAdmin(ctx))
      throw new ServiceError('IMAGE_DEACTIVATED', 'The requested image has been deactivated.');
    return toDownloadTicket(stored);
  }
}

/** Both formats; without them data can not be uploaded. */
function formatsOf({
  diskFormat,
  containerFormat,
}: Image): Pick<UploadTicket, 'diskFormat' | 'containerFormat'> {
  if (diskFormat !== null && containerFormat !== null) return { diskFormat, containerFormat };
  throw new ServiceError(
    'IMAGE_FORMATS_MISSING',
    'Properties disk_format, container_format must be set prior to saving data.',
  );
}
