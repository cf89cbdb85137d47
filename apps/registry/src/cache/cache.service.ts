import {
  type CacheRule,
  type Caller,
  type DownloadTicket,
  type RequestOf,
  type ResponseOf,
  type registryCache,
} from '@glimpse/contracts';
import { Database, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { toDownloadTicket } from '../images/download-ticket.js';
import { ImageReader } from '../images/image-reader.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';

type Authorize = RequestOf<(typeof registryCache)['authorize']>;
type Authorized = ResponseOf<(typeof registryCache)['authorize']>;

/** What gateways have to know for their caches of image data: who may manage them, and what still exists. */
@Injectable()
export class CacheService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly policy: PolicyEngine,
  ) {}

  async authorize({ ctx, rule, id }: Authorize): Promise<Authorized> {
    if (id === undefined) {
      this.policy.enforce(rule, ctx);
      return { image: null };
    }
    return { image: await this.authorizeOn(ctx, rule, id) };
  }

  /** What the cache fetches by itself. */
  async openFill(id: string): Promise<DownloadTicket> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    return toDownloadTicket(stored);
  }

  async findDeleted(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM images WHERE id IN (${placeholders(ids)}) AND deleted = 0`,
      ids,
    );
    const existing = new Set(rows.map((row) => row.id));
    return ids.filter((id) => !existing.has(id));
  }

  private async authorizeOn(ctx: Caller, rule: CacheRule, id: string): Promise<Authorized['image']> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, rule, ctx, stored.image);
    const { id: imageId, status, size } = stored.image;
    return { id: imageId, status, size };
  }
}
