import {
  type Caller,
  type DownloadTicket,
  type RequestOf,
  ServiceError,
  type UploadTicket,
  imageEvents,
  type registryImages,
} from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { Reaper } from '../leases/reaper.js';
import { UploadLeases } from '../leases/upload-leases.js';
import { ImageLocations } from '../locations/image-locations.js';
import { ImageNotices } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { ImageReader } from './image-reader.js';
import { moveImage } from './image-state.js';
import { ImagesRepository } from './images.repository.js';
import { toDownloadTicket } from './download-ticket.js';
import { UploadAdmission, formatsOf, lostRace } from './upload-admission.js';
import { UploadFailures } from './upload-failures.js';

type BeginUpload = RequestOf<(typeof registryImages)['beginUpload']>;
type CommitUpload = RequestOf<(typeof registryImages)['commitUpload']>;
type AbortUpload = RequestOf<(typeof registryImages)['abortUpload']>;

/** The data of images: who may write it now, what was written, where it is. */
@Injectable()
export class ImageDataService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly repository: ImagesRepository,
    private readonly locations: ImageLocations,
    private readonly admission: UploadAdmission,
    private readonly leases: UploadLeases,
    private readonly reaper: Reaper,
    private readonly failures: UploadFailures,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly notices: ImageNotices,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** queued → saving, for one of those who try at once. A repeated call gets the same ticket. */
  beginUpload(request: BeginUpload): Promise<UploadTicket> {
    return this.database.unitOfWork.run(async (tx) => {
      const stored = await this.reader.findIn(tx, request.id);
      if (stored === undefined) throw imageNotFound(request.id);
      const { image } = stored;
      await this.policy.enforceOnOwnImage(tx, 'upload_image', request.ctx, image);
      const sizeCap = await this.admission.admit(tx, image, request, 'saving');
      if (image.status === 'queued') await this.notices.uploadBegan(tx, image.id, request.storeId);
      return {
        uploadId: request.uploadId,
        imageId: image.id,
        storeId: request.storeId,
        ...formatsOf(image),
        ...(sizeCap === undefined || request.size !== null ? {} : { sizeCap }),
      };
    });
  }

  /** saving → active, when the upload still holds the image. A repeated call after a commit succeeds. */
  async commitUpload({ ctx, uploadId, stored }: CommitUpload): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const held = await this.leases.find(tx, uploadId);
      // What was announced was let in with its size.
      if (held?.state === 'held' && held.size === null)
        await this.quotas.admitReceived(tx, ctx, held.image_id, stored.size);
      const lease = await this.leases.commit(tx, uploadId, stored.size);
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
      await this.locations.forgetUnverified(tx, lease.imageId);
      await this.repository.insertLocation(tx, lease.imageId, stored, now);
      await this.audit.changed(tx, ctx, { action: 'update', on: 'data', id: lease.imageId });
      const after = await this.reader.findIn(tx, lease.imageId);
      if (after === undefined) return;
      await this.notices.uploaded(tx, after.image);
      await this.outbox.write(tx, imageEvents.activated, lease.imageId, { image: after.image });
    });
  }

  /** saving → queued, when the upload still holds the image. Otherwise nothing is left to do. */
  async abortUpload({ id, uploadId, reason, code, hasLeftovers }: AbortUpload): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      if (hasLeftovers === true) return this.reaper.reapOne(tx, uploadId, reason);
      const lease = await this.leases.abort(tx, { uploadId, imageId: id, reason });
      if (lease.outcome === 'ended') await this.failures.requeue(tx, lease, { reason, code });
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
    const ticket = toDownloadTicket(stored);
    // What is known to be wrong is given to nobody.
    if (ticket.locations.length === 0 && stored.damaged.length > 0)
      throw new ServiceError(
        'IMAGE_DATA_DAMAGED',
        `The data of image ${image.id} is damaged or lost in every store that has it.`,
      );
    return ticket;
  }
}
