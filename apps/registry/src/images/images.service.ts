import {
  type Caller,
  type Image,
  type ImageChange,
  type NewImage,
  ServiceError,
  imageEvents,
} from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { JobQueue } from '../jobs/job-queue.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';
import { applyChanges } from './image-changes.js';
import { ImageReader } from './image-reader.js';
import { moveImage } from './image-state.js';
import { ImagesRepository } from './images.repository.js';
import { checkPropertyNames, makeImage } from './new-image.js';
import type { StoredImage } from './stored-image.js';

/** Images and their metadata; their data is `ImageDataService`'s. */
@Injectable()
export class ImagesService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly repository: ImagesRepository,
    private readonly policy: PolicyEngine,
    private readonly outbox: OutboxWriter,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  async create(ctx: Caller, request: NewImage): Promise<Image> {
    checkPropertyNames(request);
    const owner = request.owner === undefined ? ctx.projectId : request.owner;
    const target = { owner, visibility: request.visibility ?? 'private' };
    this.policy.enforce('add_image', ctx, target);
    this.assertMayPublishAs(ctx, target);
    const now = this.clock.databaseNow();
    const image = makeImage({ ...request, owner }, now, this.settings.config);
    await this.database.unitOfWork.run(async (tx) => {
      await this.repository.insert(tx, image, now);
      await this.outbox.write(tx, imageEvents.created, image.id, { image });
    });
    return image;
  }

  async get(ctx: Caller, id: string): Promise<Image> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, 'get_image', ctx, stored.image);
    return stored.image;
  }

  update(ctx: Caller, id: string, changes: readonly ImageChange[]): Promise<Image> {
    // Glance asks no permission for nothing, and saves nothing (spec/api-images.md section 4.4).
    if (changes.length === 0) return this.get(ctx, id);
    return this.change(ctx, id, (image) =>
      applyChanges(image, changes, {
        isAdmin: this.policy.isAdmin(ctx),
        mayPublishAs: (visibility) => this.assertMayPublishAs(ctx, { owner: image.owner, visibility }),
        ...this.settings.config,
      }),
    );
  }

  /**
   * Lets a caller who may modify the image make another one of it. Changes to one image happen one after the other,
   * so that none undoes what another one did.
   */
  change(ctx: Caller, id: string, work: (image: Image) => Image): Promise<Image> {
    return this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.databaseNow();
      const { image } = await this.take(tx, id, now);
      await this.policy.enforceOnOwnImage(tx, 'modify_image', ctx, image);
      const changed = work(image);
      await this.repository.save(tx, image, changed, now);
      await this.outbox.write(tx, imageEvents.updated, image.id, { image: changed });
      return changed;
    });
  }

  /** The image is gone for everybody when this resolves; a job removes its data. */
  async delete(ctx: Caller, id: string): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.databaseNow();
      const { image, locations } = await this.take(tx, id, now);
      await this.policy.enforceOnOwnImage(tx, 'delete_image', ctx, image);
      if (image.protected)
        throw new ServiceError('IMAGE_PROTECTED', `Image ${image.id} is protected and cannot be deleted.`);
      await moveImage(tx, image.id, {
        from: image.status,
        to: 'deleted',
        now,
        set: { deleted: 1, deleted_at: now },
      });
      await this.repository.deleteChildren(tx, image.id, now);
      if (locations.length > 0)
        await this.jobs.enqueue(tx, 'delete-data', { imageId: image.id, locations: [...locations] });
      await this.outbox.write(tx, imageEvents.deleted, image.id, { imageId: image.id });
    });
  }

  /** The image as it is now, which no other transaction changes before this one has ended. */
  private async take(tx: Transaction, id: string, now: string): Promise<StoredImage> {
    const stored = (await this.repository.touch(tx, id, now)) ? await this.reader.findIn(tx, id) : undefined;
    if (stored === undefined) throw imageNotFound(id);
    return stored;
  }

  private assertMayPublishAs(ctx: Caller, target: Pick<Image, 'owner' | 'visibility'>): void {
    if (target.visibility === 'public') this.policy.enforce('publicize_image', ctx, target);
    if (target.visibility === 'community') this.policy.enforce('communitize_image', ctx, target);
  }
}
