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
import { type Statement, imageCountQuery, imageListQuery } from './image-list.query.js';
import type { Viewer } from './image-list.ways.js';
import { ImageReader } from './image-reader.js';
import { type ReadImageRow, toImageAttributes } from './image-rows.js';

type Page = ResponseOf<(typeof registryImages)['list']>;

const NOTHING: Page = { images: [], isFullPage: false };

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
    // To the caller no image has a property that they may not read.
    if (!Object.keys(query.properties).every((name) => this.protection.allows(ctx, 'read', name)))
      return this.withCount(query, NOTHING, 0);
    const viewer = { isAdmin: this.policy.isAdmin(ctx), projectId: ctx.projectId };
    const limit = Math.min(query.limit, this.settings.config.limits.pageMax);
    const [rows, count] = await Promise.all([
      this.findRows(imageListQuery({ ...query, limit }, viewer, marker, this.database.dialect)),
      query.isCounted === true ? this.count(query, viewer) : 0,
    ]);
    const stored = await this.reader.complete(this.database, rows);
    const found = stored.map(({ image }) => image);
    const allowed = new Set(await this.policy.filterImages(this.database, 'get_image', ctx, found));
    const shown = stored.filter(({ image }) => allowed.has(image));
    const images = shown.map((item) => this.answers.toListItem(ctx, item));
    return this.withCount(query, { images, isFullPage: limit > 0 && rows.length === limit }, count);
  }

  private async findRows(statement: Statement | null): Promise<ReadImageRow[]> {
    if (statement === null) return [];
    return this.database.query<ReadImageRow>(statement.sql, statement.values);
  }

  /** One more than is told at most says that there are more. */
  private async count(query: ImageQuery, viewer: Viewer): Promise<number> {
    const statement = imageCountQuery(query, viewer, this.settings.config.limits.countMax + 1);
    if (statement === null) return 0;
    const [row] = await this.database.query<{ count: number }>(statement.sql, statement.values);
    return row?.count ?? 0;
  }

  private withCount(query: ImageQuery, page: Page, counted: number): Page {
    if (query.isCounted !== true) return page;
    const { countMax } = this.settings.config.limits;
    return { ...page, count: { value: Math.min(counted, countMax), isLimit: counted > countMax } };
  }

  private async findMarker(ctx: Caller, id: string): Promise<ReadImageRow> {
    const row = await this.reader.findRow(id);
    if (row === undefined) throw new ServiceError('MARKER_NOT_FOUND', `The marker ${id} is no image.`);
    if (await this.policy.canSee(this.database, ctx, toImageAttributes(row))) return row;
    throw new ServiceError('MARKER_FORBIDDEN', 'Forbidding request, image not visible');
  }
}
