import { type Caller, type ProjectUsage, ServiceError } from '@glimpse/contracts';
import { Database, type ImageRow, type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import { type Limits, limitsOf, toMebibytes, wholeMebibytes } from './project-limits.js';
import { usageQueries } from './usage-queries.js';

const exceeded = (what: string, limit: number) =>
  new ServiceError('QUOTA_EXCEEDED', `The project's quota is exceeded: it may have ${limit} ${what}.`);

/**
 * Keeps projects within their limits. Each check holds the project until the transaction ends, so that of changes made
 * at the same time each sees what the others did; a project without a limit costs nothing. Call it before rows of
 * images are changed: whoever waits for a project holds no image.
 */
@Injectable()
export class ProjectQuotas {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Lets one more image be created. Throws QUOTA_EXCEEDED. */
  async admitImage(tx: Transaction, ctx: Caller, owner: string | null): Promise<void> {
    const { imageCount } = this.limitsOf(owner, ctx);
    if (owner === null || imageCount === undefined) return;
    await this.hold(tx, owner);
    if ((await usageQueries.imageCount(tx, owner)) >= imageCount) throw exceeded('images', imageCount);
  }

  /**
   * Lets one more upload begin, of `size` bytes or of unknown size. Answers with the bytes that an unknown size may come
   * to; undefined where there is no limit. Throws QUOTA_EXCEEDED.
   */
  async admitUpload(
    tx: Transaction,
    ctx: Caller,
    owner: string | null,
    size: number | null,
  ): Promise<number | undefined> {
    await this.admitTransfer(tx, ctx, owner);
    return this.admitBytes(tx, ctx, owner, 'storageBytes', size);
  }

  /** As `admitUpload`, for data that is staged for an import. */
  async admitStaging(
    tx: Transaction,
    ctx: Caller,
    owner: string | null,
    size: number | null,
  ): Promise<number | undefined> {
    await this.admitTransfer(tx, ctx, owner);
    return this.admitBytes(tx, ctx, owner, 'stagingBytes', size);
  }

  /** Lets `size` bytes of an image, which were not announced, stay in the stores. Throws QUOTA_EXCEEDED. */
  async admitStored(tx: Transaction, ctx: Caller, imageId: string, size: number): Promise<void> {
    if (ctx.limits === undefined && this.settings.config.limits.projectStorage === 0) return;
    const [image] = await tx.query<Pick<ImageRow, 'owner'>>('SELECT owner FROM images WHERE id = ?', [
      imageId,
    ]);
    await this.admitBytes(tx, ctx, image?.owner ?? null, 'storageBytes', size);
  }

  /** As `admitStored`, for data whose size was not known when its upload was let in: a soft limit lets it stay. */
  async admitReceived(tx: Transaction, ctx: Caller, imageId: string, size: number): Promise<void> {
    if (ctx.limits === undefined) await this.admitStored(tx, ctx, imageId, size);
  }

  /** What is left for an upload of unknown size that was let in before; undefined where nothing bounds it. */
  async remaining(tx: Transaction, ctx: Caller, owner: string | null): Promise<number | undefined> {
    const { storageBytes: limit, areSoft } = this.limitsOf(owner, ctx);
    if (owner === null || limit === undefined || areSoft) return undefined;
    return Math.max(0, limit - (await usageQueries.storageBytes(tx, owner)));
  }

  /** What the caller's project uses of each of its limits. */
  async usageOf(ctx: Caller): Promise<ProjectUsage> {
    const { projectId: project } = ctx;
    if (project === null) return {};
    const limits = this.limitsOf(project, ctx);
    const measure = async (
      what: keyof typeof usageQueries,
      known: number | undefined,
      unit = (usage: number) => usage,
    ) => {
      const limit = limits[what];
      // The identity service has the resource, but sets no limit to it.
      if (limit === undefined && known === undefined) return undefined;
      const usage = await usageQueries[what](this.database, project);
      return { usage: unit(usage), limit: limit === undefined ? -1 : unit(limit) };
    };
    const usage = {
      imageSizeTotal: await measure('storageBytes', ctx.limits?.imageSizeTotal, toMebibytes),
      imageStageTotal: await measure('stagingBytes', ctx.limits?.imageStageTotal, toMebibytes),
      imageCountTotal: await measure('imageCount', ctx.limits?.imageCountTotal),
      imageCountUploading: await measure('uploadCount', ctx.limits?.imageCountUploading),
    };
    return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
  }

  private async admitTransfer(tx: Transaction, ctx: Caller, owner: string | null): Promise<void> {
    const { uploadCount } = this.limitsOf(owner, ctx);
    if (owner === null || uploadCount === undefined) return;
    await this.hold(tx, owner);
    if ((await usageQueries.uploadCount(tx, owner)) >= uploadCount)
      throw exceeded('uploads at a time', uploadCount);
  }

  private async admitBytes(
    tx: Transaction,
    ctx: Caller,
    owner: string | null,
    what: 'storageBytes' | 'stagingBytes',
    size: number | null,
  ): Promise<number | undefined> {
    const { [what]: limit, areSoft } = this.limitsOf(owner, ctx);
    if (owner === null || limit === undefined) return undefined;
    await this.hold(tx, owner);
    const counted = areSoft ? wholeMebibytes : (bytes: number) => bytes;
    const left = limit - counted(await usageQueries[what](tx, owner));
    if (left < counted(size ?? 0))
      throw exceeded(what === 'storageBytes' ? 'bytes of images' : 'staged bytes', limit);
    return size === null && !areSoft ? left : undefined;
  }

  private limitsOf(owner: string | null, ctx: Caller): Limits {
    return limitsOf(owner, ctx, this.settings.config);
  }

  /** Waits for other transactions that hold the project, and keeps them waiting until this one ends. */
  async hold(tx: Transaction, project: string): Promise<void> {
    const now = this.clock.now();
    const take = () => tx.execute('UPDATE quota_locks SET held_at = ? WHERE project = ?', [now, project]);
    if ((await take()) === 1) return;
    try {
      await tx.insert('quota_locks', [{ project, held_at: now }]);
    } catch (error) {
      // Another one was the first to hold it, and has ended.
      if (!(error instanceof UniqueViolation)) throw error;
      await take();
    }
  }
}
