import {
  type Caller,
  type Image,
  type ImageChange,
  type NewImage,
  ServiceError,
  imageEvents,
} from '@glimpse/contracts';
import { Database, type Transaction, fromDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import type { AuditedAction } from '../audit/audit-record.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImportCancellation } from '../imports/import-cancellation.js';
import { DataRemoval } from '../jobs/data-removal.js';
import { type LocationEdit, LocationEdits } from '../locations/location-edits.js';
import { OutboxWriter, type WriteOptions } from '../outbox/outbox.writer.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImageAnswers } from './image-answers.js';
import { HeldImages } from './held-images.js';
import { applyChanges } from './image-changes.js';
import { ImageReader } from './image-reader.js';
import { canMove, moveImage } from './image-state.js';
import { protectedProperty } from './image-values.js';
import { ImagesRepository } from './images.repository.js';
import { checkPropertyNames, makeImage } from './new-image.js';
import type { StoredImage } from './stored-image.js';

/** How a change is made, beside what it changes. */
export interface ChangeOptions {
  /** The revisions that the caller had in mind; any where it is left out. */
  readonly ifMatch?: readonly string[] | undefined;
  /** What the audit trail says; by default an update of the image. */
  readonly audited?: Pick<AuditedAction, 'action' | 'on'>;
  /** What it changes of the locations. */
  readonly locations?: LocationEdit | undefined;
}

/** How an image is created, beside what is asked for. */
export interface CreateOptions extends WriteOptions {
  /** What is done before anything else in the transaction. */
  readonly first?: ((tx: Transaction, image: Image) => Promise<void>) | undefined;
  /** Properties that no protection keeps the caller from. */
  readonly unprotected?: ReadonlySet<string> | undefined;
}

/** Images and their metadata; their data is `ImageDataService`'s. */
@Injectable()
export class ImagesService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly repository: ImagesRepository,
    private readonly policy: PolicyEngine,
    private readonly protection: PropertyProtection,
    private readonly quotas: ProjectQuotas,
    private readonly answers: ImageAnswers,
    private readonly locationEdits: LocationEdits,
    private readonly imports: ImportCancellation,
    private readonly outbox: OutboxWriter,
    private readonly removal: DataRemoval,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  create(ctx: Caller, request: NewImage): Promise<Image> {
    return this.createWith(ctx, request, (_tx, image) =>
      Promise.resolve(this.answers.toAnswer(ctx, { image, locations: [], damaged: [] })),
    );
  }

  /** Creates an image together with what `more` does: both are there, or neither. `options` are those of its event. */
  async createWith<T>(
    ctx: Caller,
    request: NewImage,
    more: (tx: Transaction, image: Image) => Promise<T>,
    { first, unprotected, ...options }: CreateOptions = {},
  ): Promise<T> {
    checkPropertyNames(request);
    const owner = request.owner === undefined ? ctx.projectId : request.owner;
    const target = { owner, visibility: request.visibility ?? 'private' };
    this.policy.enforce('add_image', ctx, target);
    this.assertMayPublishAs(ctx, target);
    const now = this.clock.databaseNow();
    const image = makeImage({ ...request, owner }, now, this.settings.config);
    for (const name of Object.keys(image.properties))
      if (unprotected?.has(name) !== true && !this.protection.allows(ctx, 'create', name))
        throw protectedProperty(name);
    return this.database.unitOfWork.run(async (tx) => {
      await first?.(tx, image);
      await this.quotas.admitImage(tx, ctx, owner);
      await this.repository.insert(tx, image, now);
      await this.outbox.write(tx, imageEvents.created, image.id, { image }, options);
      await this.audit.changed(tx, ctx, { action: 'create', on: 'image', id: image.id });
      return more(tx, image);
    });
  }

  async get(ctx: Caller, id: string): Promise<Image> {
    return this.answers.toAnswer(ctx, await this.find(ctx, id));
  }

  async update(
    ctx: Caller,
    id: string,
    changes: readonly ImageChange[],
    options: ChangeOptions = {},
  ): Promise<Image> {
    // Glance asks no permission for nothing, and saves nothing (spec/api-images.md section 4.4).
    if (changes.length === 0) {
      const stored = await this.find(ctx, id);
      this.answers.checkRevision(ctx, stored, options.ifMatch);
      return this.answers.toAnswer(ctx, stored);
    }
    const locations = await this.locationEdits.prepare(ctx, id, changes);
    return this.change(
      ctx,
      id,
      (image) =>
        applyChanges(image, changes, {
          changeLocations: (draft, change) => locations?.apply(draft, change),
          isAdmin: this.policy.isAdmin(ctx),
          mayPublishAs: (visibility) => this.assertMayPublishAs(ctx, { owner: image.owner, visibility }),
          mayProperty: (operation, name) => this.protection.allows(ctx, operation, name),
          ...this.settings.config,
        }),
      { ...options, locations },
    );
  }

  /**
   * Lets a caller who may modify the image make another one of it. Changes to one image happen one after the other,
   * so that none undoes what another one did.
   */
  change(
    ctx: Caller,
    id: string,
    work: (image: Image) => Image,
    { ifMatch, audited = { action: 'update', on: 'image' }, locations }: ChangeOptions = {},
  ): Promise<Image> {
    return this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.databaseNow();
      await locations?.admit(tx);
      const before = await this.held.hold(tx, id);
      await this.policy.enforceOnOwnImage(tx, 'modify_image', ctx, before.image);
      this.answers.checkRevision(ctx, before, ifMatch);
      await locations?.begin(tx, before);
      const changed = { ...work(before.image), updatedAt: fromDatabaseTime(now) };
      await this.repository.save(tx, before.image, changed, now);
      const after = (await locations?.save(tx, before.image, changed)) ?? { ...before, image: changed };
      await this.outbox.write(tx, imageEvents.updated, changed.id, { image: after.image });
      await this.audit.changed(tx, ctx, { ...audited, id: changed.id });
      return this.answers.toAnswer(ctx, after);
    });
  }

  /**
   * The image is gone for everybody when this resolves. A job removes its data: at once, or with delayed delete when
   * the time to restore it is over (`Scrubber`).
   */
  async delete(ctx: Caller, id: string, { ifMatch }: Pick<ChangeOptions, 'ifMatch'> = {}): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.databaseNow();
      const stored = await this.held.hold(tx, id);
      const { image } = stored;
      const locations = [...stored.locations, ...stored.damaged];
      await this.policy.enforceOnOwnImage(tx, 'delete_image', ctx, image);
      if (image.protected)
        throw new ServiceError('IMAGE_PROTECTED', `Image ${image.id} is protected and cannot be deleted.`);
      this.answers.checkRevision(ctx, stored, ifMatch);
      const isKept = this.settings.config.images.delayedDelete && locations.length > 0;
      const to = isKept && canMove(image.status, 'pending_delete') ? 'pending_delete' : 'deleted';
      await moveImage(tx, image.id, { from: image.status, to, now, set: { deleted: 1, deleted_at: now } });
      await this.imports.cancel(tx, image.id);
      await this.repository.deleteChildren(tx, image.id, now, to);
      if (to === 'deleted') await this.removal.queue(tx, image.id, locations);
      await this.outbox.write(tx, imageEvents.deleted, image.id, {
        imageId: image.id,
        image: { ...image, status: to },
      });
      await this.audit.changed(tx, ctx, { action: 'delete', on: 'image', id: image.id });
    });
  }

  private async find(ctx: Caller, id: string): Promise<StoredImage> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, 'get_image', ctx, stored.image);
    return stored;
  }

  private assertMayPublishAs(ctx: Caller, target: Pick<Image, 'owner' | 'visibility'>): void {
    if (target.visibility === 'public') this.policy.enforce('publicize_image', ctx, target);
    if (target.visibility === 'community') this.policy.enforce('communitize_image', ctx, target);
  }
}
