import { type Caller, ServiceError, imageEvents, storeOf } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { ImageLocations } from '../locations/image-locations.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';

/** Images in several stores. */
@Injectable()
export class StoresService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly locations: ImageLocations,
    private readonly policy: PolicyEngine,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Throws ACTION_FORBIDDEN where the caller may not know how the stores are configured. */
  enforceMayDescribe(ctx: Caller): void {
    this.policy.enforce('stores_info_detail', ctx);
  }

  /** Forgets the image's data in one of its stores; a job removes it (the checks are in Glance's order). */
  async removeImage(ctx: Caller, storeId: string, id: string): Promise<void> {
    if (!Object.hasOwn(this.settings.config.stores, storeId))
      throw new ServiceError('STORE_NOT_CONFIGURED', `There is no store "${storeId}" on this service.`);
    await this.database.unitOfWork.run(async (tx) => {
      const { image } = await this.held.hold(tx, id);
      await this.policy.enforceOnOwnImage(tx, 'get_image_location', ctx, image);
      await this.policy.enforceOnOwnImage(tx, 'delete_image_location', ctx, image);
      if (image.status !== 'active')
        throw new ServiceError(
          'IMAGE_STATUS_CONFLICT',
          `It's not allowed to remove locations if image status is ${image.status}.`,
        );
      const recorded = await this.locations.find(tx, image.id);
      const inStore = recorded.find((location) => storeOf(location) === storeId);
      const others = recorded.filter((location) => location !== inStore && !location.isDamaged);
      if (recorded.length === 1 || (inStore?.isDamaged === false && others.length === 0))
        throw new ServiceError(
          'LOCATION_IS_LAST',
          'Cannot delete image data from the only store containing it.',
        );
      if (inStore === undefined)
        throw new ServiceError(
          'IMAGE_NOT_IN_STORE',
          `Image ${image.id} is not stored on store "${storeId}".`,
        );
      await this.locations.remove(tx, image.id, [inStore]);
      await tx.execute('UPDATE images SET updated_at = ? WHERE id = ?', [this.clock.databaseNow(), image.id]);
      const after = await this.reader.findIn(tx, image.id);
      if (after !== undefined)
        await this.outbox.write(tx, imageEvents.updated, image.id, { image: after.image });
      await this.audit.changed(tx, ctx, { action: 'delete', on: 'location', id: image.id });
    });
  }
}
