import {
  type RequestOf,
  STAGING_STORE,
  ServiceError,
  type StagingTicket,
  imageEvents,
  type registryImports,
} from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { UploadAdmission, lostRace } from '../images/upload-admission.js';
import { UploadLeases } from '../leases/upload-leases.js';
import { ImageNotices } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { StagedData } from './staged-data.js';

type Begin = RequestOf<(typeof registryImports)['beginStaging']>;
type Commit = RequestOf<(typeof registryImports)['commitStaging']>;

/** Takes data that is to be imported later (spec/api-images.md section 7.2). It is given up as an upload is. */
@Injectable()
export class StagingService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly admission: UploadAdmission,
    private readonly leases: UploadLeases,
    private readonly staged: StagedData,
    private readonly policy: PolicyEngine,
    private readonly notices: ImageNotices,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** queued → uploading, for one of those who try at once. A repeated call gets the same ticket. */
  begin(request: Begin): Promise<StagingTicket> {
    return this.database.unitOfWork.run(async (tx) => {
      const stored = await this.reader.findIn(tx, request.id);
      if (stored === undefined) throw imageNotFound(request.id);
      const { image } = stored;
      await this.policy.enforceOnOwnImage(tx, 'modify_image', request.ctx, image);
      const upload = { ...request, storeId: STAGING_STORE };
      const sizeCap = await this.admission.admit(tx, image, upload, 'uploading');
      if (image.status === 'queued') await this.notices.changed(tx, image.id);
      return {
        uploadId: request.uploadId,
        imageId: image.id,
        ...(sizeCap === undefined || request.size !== null ? {} : { sizeCap }),
      };
    });
  }

  /** The data is whole. The image stays in uploading, and has its size. A repeated call succeeds. */
  async commit({ ctx, uploadId, staged }: Commit): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const lease = await this.leases.commit(tx, uploadId, staged.size);
      if (lease.outcome === 'repeated') return;
      if (lease.outcome !== 'ended')
        throw new ServiceError('LEASE_LOST', `The upload ${uploadId} does not hold the image any more.`);
      const { imageId } = lease;
      const matched = await tx.execute(
        "UPDATE images SET size = ?, updated_at = ? WHERE id = ? AND status = 'uploading' AND deleted = 0",
        [staged.size, this.clock.databaseNow(), imageId],
      );
      // The lease stays held: until the caller has removed the data and aborted, or died and its leftovers are removed.
      if (matched === 0) throw lostRace(imageId);
      await this.staged.put(tx, imageId, staged);
      await this.audit.changed(tx, ctx, { action: 'update', on: 'data', id: imageId });
      const after = await this.reader.findIn(tx, imageId);
      if (after !== undefined)
        await this.outbox.write(tx, imageEvents.updated, imageId, { image: after.image });
    });
  }
}
