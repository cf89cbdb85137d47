import {
  type Caller,
  type ImageQuery,
  type ResponseOf,
  ServiceError,
  type registryImages,
} from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { PolicyEngine } from '../policy/policy.engine.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImageAnswers } from './image-answers.js';
import { imageListQuery } from './image-list.query.js';
import { ImageReader } from './image-reader.js';
import { type ReadImageRow, toImageAttributes } from './image-rows.js';

type Page = ResponseOf<(typeof registryImages)['list']>;

const EMPTY: Page = { images: [], isFullPage: false };

@Injectable()
export class ImageListService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly policy: PolicyEngine,
    private readonly protection: PropertyProtection,
    private readonly answers: ImageAnswers,
    private readonly settings: RegistrySettings,
  ) {}

  /** One page of the images that the caller may see and that match. */
  async list(ctx: Caller, query: ImageQuery): Promise<Page> {
    this.policy.enforce('get_images', ctx, { owner: ctx.projectId, visibility: 'private' });
    const marker = query.marker === undefined ? undefined : await this.findMarker(ctx, query.marker);
    const limit = Math.min(query.limit, this.settings.config.limits.pageMax);
    if (limit === 0) return EMPTY;
    // To the caller no image has a property that they may not read.
    if (!Object.keys(query.properties).every((name) => this.protection.allows(ctx, 'read', name)))
      return EMPTY;
    const viewer = { isAdmin: this.policy.isAdmin(ctx), projectId: ctx.projectId };
    const statement = imageListQuery({ ...query, limit }, viewer, marker);
    if (statement === null) return EMPTY;
    const rows = await this.database.query<ReadImageRow>(statement.sql, statement.values);
    const stored = await this.reader.complete(this.database, rows);
    const found = stored.map(({ image }) => image);
    const allowed = new Set(await this.policy.filterImages(this.database, 'get_image', ctx, found));
    const shown = stored.filter(({ image }) => allowed.has(image));
    const images = shown.map((item) => this.answers.toListItem(ctx, item));
    return { images, isFullPage: rows.length === limit };
  }

  private async findMarker(ctx: Caller, id: string): Promise<ReadImageRow> {
    const row = await this.reader.findRow(id);
    if (row === undefined) throw new ServiceError('MARKER_NOT_FOUND', `The marker ${id} is no image.`);
    if (await this.policy.canSee(this.database, ctx, toImageAttributes(row))) return row;
    throw new ServiceError('MARKER_FORBIDDEN', 'Forbidding request, image not visible');
  }
}
