import { type Caller, type CheckedCopy, ServiceError, storeOf } from '@glimpse/contracts';
import { Database, findLocationsOf, requestChecks } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';
import { type Copy, CopyChecks } from './copy-checks.js';
import { VerificationQueue } from './verification-queue.js';
import { intervalMsOf } from './verification-times.js';

/** Before a copy is looked at again that a reader complains about. */
const SUSPICION_MS = 3_600_000;

const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());

/** What is known of the copies of an image's data, and another look at them. */
@Injectable()
export class VerificationService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly checks: CopyChecks,
    private readonly queue: VerificationQueue,
    private readonly policy: PolicyEngine,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** For the owner and admins. */
  async get(ctx: Caller, id: string): Promise<CheckedCopy[]> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnOwnImage(this.database, 'get_image', ctx, stored.image);
    return (await this.checks.findOf(this.database, stored.image.id)).map((copy) => this.show(copy));
  }

  /** Has every copy read again before those that only have their turn. For admins: it costs what they pay for. */
  async request(ctx: Caller, id: string): Promise<CheckedCopy[]> {
    return this.database.unitOfWork.run(async (tx) => {
      const { image } = await this.held.hold(tx, id);
      await this.policy.enforceOnImage(tx, 'get_image', ctx, image);
      if (!this.policy.isAdmin(ctx))
        throw new ServiceError('ACTION_FORBIDDEN', 'Only administrators may have data verified.');
      const locations = await findLocationsOf(tx, image.id);
      if (locations.length === 0 || (image.status !== 'active' && image.status !== 'deactivated'))
        throw new ServiceError(
          'IMAGE_STATUS_CONFLICT',
          `Image ${image.id} has no data that could be verified; it is ${image.status}.`,
        );
      await requestChecks(tx, locations, this.clock.now());
      await this.audit.changed(tx, ctx, { action: 'evaluate', on: 'data', id: image.id });
      tx.afterCommit(() => this.queue.wake());
      return (await this.checks.findOf(tx, image.id)).map((copy) => this.show(copy));
    });
  }

  /** Copies that are in service and were not looked at for an hour: what a reader met may be known already. */
  async suspect(imageId: string): Promise<void> {
    const before = this.clock.now() - SUSPICION_MS;
    const isDoubtful = ({ damagedAt, checkedAt, isRequested, isQueued }: Copy) =>
      damagedAt === null && !isRequested && !isQueued && (checkedAt === null || checkedAt < before);
    const copies = (await this.checks.findOf(this.database, imageId)).filter(isDoubtful);
    if (copies.length === 0) return;
    const locations = copies.map(({ locationId }) => ({ id: locationId, image_id: imageId }));
    await this.database.unitOfWork.run(async (tx) => {
      await requestChecks(tx, locations, this.clock.now());
      tx.afterCommit(() => this.queue.wake());
    });
  }

  private show(copy: Copy): CheckedCopy {
    const { state, reason, damagedAt, intactAt, checkedAt, isRequested, isQueued } = copy;
    return {
      storeId: storeOf(copy.location) ?? null,
      state,
      isInService: damagedAt === null,
      reason,
      intactAt: iso(intactAt),
      checkedAt: iso(checkedAt),
      dueAt: iso(this.dueAt(copy)),
      isQueued: isRequested || isQueued,
    };
  }

  private dueAt({ turnAt }: Copy): number | null {
    const { verification } = this.settings.config;
    return verification.intervalDays === 0 || turnAt === null ? null : turnAt + intervalMsOf(verification);
  }
}
