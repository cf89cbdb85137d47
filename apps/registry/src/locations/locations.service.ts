import {
  type Caller,
  type ExpectedHash,
  type ImageLocation,
  ServiceError,
  toShownLocation,
  withoutCredentials,
} from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { JobQueue } from '../jobs/job-queue.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { TaskRecords } from '../tasks/task-records.js';

/** The locations API of version 2.17 (spec/api-images.md section 9.2). */
@Injectable()
export class LocationsService {
  private readonly hasHttpStore: boolean;

  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly tasks: TaskRecords,
    private readonly jobs: JobQueue,
    private readonly audit: AuditTrail,
    settings: RegistrySettings,
  ) {
    this.hasHttpStore = Object.values(settings.config.stores).some(({ type }) => type === 'http');
  }

  /** Begins the task that makes the URL the image's location; answers with its id. */
  async add(ctx: Caller, id: string, url: string, expected: ExpectedHash | null): Promise<string> {
    await this.assertMayAdd(ctx, id, url);
    return this.database.unitOfWork.run(async (tx) => {
      // A project that is over its limit already needs no task to learn it.
      await this.quotas.admitStored(tx, ctx, id, 0);
      const { image } = await this.held.hold(tx, id);
      await this.policy.enforceOnImage(tx, 'add_image_location', ctx, image);
      if (image.status !== 'queued')
        throw new ServiceError(
          'IMAGE_STATUS_CONFLICT',
          `Locations can be added to a queued image only; image ${image.id} is ${image.status}.`,
        );
      const imageId = image.id;
      const input = {
        image_id: imageId,
        loc_url: withoutCredentials(url),
        validation_data: toInput(expected),
      };
      const taskId = await this.tasks.beginAlone(tx, ctx, { type: 'location_import', imageId, input });
      await this.jobs.enqueue(tx, 'probe-location', { imageId, taskId, ctx, url, expected });
      await this.audit.changed(tx, ctx, { action: 'create', on: 'task', id: taskId });
      return taskId;
    });
  }

  async list(ctx: Caller, id: string): Promise<ImageLocation[]> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, 'fetch_image_location', ctx, stored.image);
    if (stored.image.status === 'deactivated' && !this.policy.isAdmin(ctx))
      throw new ServiceError('IMAGE_DEACTIVATED', 'The requested image has been deactivated.');
    return stored.locations.map(toShownLocation);
  }

  private async assertMayAdd(ctx: Caller, id: string, url: string): Promise<void> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, 'add_image_location', ctx, stored.image);
    const isService = [...ctx.roles, ...ctx.serviceRoles].some((role) => role.toLowerCase() === 'service');
    if (!isService && !(this.hasHttpStore && /^https?:\/\//.test(url)))
      throw new ServiceError(
        'ACTION_FORBIDDEN',
        'Only http(s) URLs can be registered without the role service, and only where a store reads them.',
      );
  }
}

const toInput = (expected: ExpectedHash | null) =>
  expected === null ? {} : { os_hash_algo: expected.algorithm, os_hash_value: expected.value };
