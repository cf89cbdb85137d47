import { type Caller, type ImageStatus, ServiceError, imageEvents } from '@glimpse/contracts';
import { Database, fromDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { HeldImages } from './held-images.js';
import { moveImage } from './image-state.js';

interface Action {
  readonly rule: 'deactivate' | 'reactivate';
  readonly from: ImageStatus;
  readonly to: ImageStatus;
  readonly event: (typeof imageEvents)['deactivated' | 'reactivated'];
  readonly audited: 'disable' | 'enable';
}

/** Takes the data of an image away from everybody but admins, and gives it back (spec/api-images.md section 8.3). */
@Injectable()
export class ImageActions {
  constructor(
    private readonly database: Database,
    private readonly held: HeldImages,
    private readonly policy: PolicyEngine,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  deactivate(ctx: Caller, id: string): Promise<void> {
    const { deactivated: event } = imageEvents;
    return this.run(ctx, id, {
      rule: 'deactivate',
      from: 'active',
      to: 'deactivated',
      event,
      audited: 'disable',
    });
  }

  reactivate(ctx: Caller, id: string): Promise<void> {
    const { reactivated: event } = imageEvents;
    return this.run(ctx, id, {
      rule: 'reactivate',
      from: 'deactivated',
      to: 'active',
      event,
      audited: 'enable',
    });
  }

  private run(ctx: Caller, id: string, { rule, from, to, event, audited }: Action): Promise<void> {
    return this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.databaseNow();
      const { image } = await this.held.hold(tx, id);
      await this.policy.enforceOnOwnImage(tx, rule, ctx, image);
      if (image.status === to) return;
      if (image.status !== from)
        throw new ServiceError(
          'ACTION_FORBIDDEN',
          `Not allowed to ${rule} image in status '${image.status}'`,
        );
      await moveImage(tx, image.id, { from, to, now });
      const changed = { ...image, status: to, updatedAt: fromDatabaseTime(now) };
      await this.outbox.write(tx, event, image.id, { image: changed });
      await this.audit.changed(tx, ctx, { action: audited, on: 'image', id: image.id });
    });
  }
}
