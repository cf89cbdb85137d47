import { imageIdOfKey, storeOf } from '@glimpse/contracts';
import {
  type ImageLocationRow,
  type ImageRow,
  type JobRow,
  type LeaseRow,
  type SqlReader,
  type SqlValue,
  type StagedDataRow,
  placeholders,
} from '@glimpse/persistence';
import { createStoreFinder } from '@glimpse/stores';
import { Injectable } from '@nestjs/common';
import { parseMetadata } from '../images/image-parts.js';
import { RegistrySettings } from '../registry-settings.js';

/** Something in a store, as far as it matters whose it is. */
export interface Subject {
  readonly url: string;
  readonly key: string | null;
  readonly partialOf: string | null;
}

export interface Judgement {
  /**
   * `claimed`: an image has it, or could be restored with it. `busy`: somebody is at work on the image, and may have made
   * it. `foreign`: it has no name that Glimpse or Glance gives.
   */
  readonly claim: 'claimed' | 'busy' | 'orphan' | 'foreign';
  /** By its name. */
  readonly imageId: string | undefined;
  /** Whether the database has, or had, that image. */
  readonly isKnown: boolean;
}

/** Rows of locations whose data must be there: those of images that were deleted but can be restored too. */
const LIVE = "(deleted = 0 OR status = 'pending_delete')";

type LocationPart = Pick<ImageLocationRow, 'value' | 'meta_data'>;

/** Whose data is what lies in the stores. */
@Injectable()
export class DataClaims {
  private readonly findStore: (url: string) => string | undefined;

  constructor(private readonly settings: RegistrySettings) {
    this.findStore = createStoreFinder(settings.config);
  }

  /**
   * Judges things that were seen in the store before this was called. Who works on an image is asked for before what the
   * image has, since the one becomes the other in one transaction: nothing that is on its way is taken for nobody's.
   */
  async judge(sql: SqlReader, storeId: string, subjects: readonly Subject[]): Promise<Judgement[]> {
    const imageIds = subjects.map(({ key }) => (key === null ? undefined : imageIdOfKey(key)?.toLowerCase()));
    const ids = [...new Set(imageIds.filter((id) => id !== undefined))];
    const worked = await this.workedOn(sql, ids);
    const staged = await this.stagedUrls(sql, ids);
    const images = await this.imagesOf(sql, ids);
    const locations = await this.locationsOf(sql, storeId, ids, subjects);
    return subjects.map((subject, index) => {
      const imageId = imageIds[index];
      const isKnown = imageId !== undefined && images.has(imageId);
      const isClaimed =
        staged.has(subject.url) ||
        locations.some(
          ({ value, isElsewhere }) =>
            value === subject.url || (!isElsewhere && isMentionedIn(value, subject)),
        );
      const isBusy = imageId !== undefined && (worked.has(imageId) || images.get(imageId) === true);
      const claim = isClaimed ? 'claimed' : isBusy ? 'busy' : imageId === undefined ? 'foreign' : 'orphan';
      return { claim, imageId, isKnown };
    });
  }

  /**
   * Those of the subjects that a row refers to in whatever way: by another form of the URL, or as an image of another id.
   * Reads every location, so it is asked only of what is about to be touched.
   */
  async findMentioned<S extends Subject>(
    sql: SqlReader,
    storeId: string,
    subjects: readonly S[],
  ): Promise<Set<S>> {
    const whole = subjects.filter(({ key, partialOf }) => key !== null && partialOf === null);
    if (whole.length === 0) return new Set();
    const patterns = whole.map(({ key }) => `%${key}%`);
    const rows = await sql.query<LocationPart>(
      `SELECT value, meta_data FROM image_locations
        WHERE ${LIVE} AND (${patterns.map(() => 'value LIKE ?').join(' OR ')})`,
      patterns,
    );
    const texts = rows.filter((row) => !this.isElsewhere(row, storeId)).map(({ value }) => value);
    const probes = await sql.query<Pick<JobRow, 'payload'>>(
      "SELECT payload FROM jobs WHERE kind = 'probe-location' AND status IN ('queued', 'running')",
    );
    const wanted = probes.map(({ payload }) => payload.toLowerCase());
    return new Set(
      whole.filter(
        (subject) =>
          texts.some((text) => isMentionedIn(text, subject)) ||
          wanted.some((text) => text.includes(String(subject.key).toLowerCase())),
      ),
    );
  }

  /** Images that an upload or a job is at work on: what it has published is not recorded yet. */
  private async workedOn(sql: SqlReader, ids: readonly string[]): Promise<Set<string>> {
    const leases = await inList<Pick<LeaseRow, 'image_id'>>(
      sql,
      "SELECT image_id FROM leases WHERE kind = 'upload' AND state IN ('held', 'reaping') AND image_id",
      ids,
    );
    const jobs = await inList<Pick<JobRow, 'image_id'>>(
      sql,
      "SELECT image_id FROM jobs WHERE status IN ('queued', 'running') AND image_id",
      ids,
    );
    return new Set([...leases, ...jobs].map(({ image_id }) => String(image_id).toLowerCase()));
  }

  private async stagedUrls(sql: SqlReader, ids: readonly string[]): Promise<Set<string>> {
    const rows = await inList<Pick<StagedDataRow, 'url'>>(
      sql,
      'SELECT url FROM staged_data WHERE image_id',
      ids,
    );
    return new Set(rows.map(({ url }) => url));
  }

  /** Each with whether it is receiving data, be it from a Glance that has no leases. */
  private async imagesOf(sql: SqlReader, ids: readonly string[]): Promise<Map<string, boolean>> {
    const rows = await inList<Pick<ImageRow, 'id' | 'status' | 'deleted'>>(
      sql,
      'SELECT id, status, deleted FROM images WHERE id',
      ids,
    );
    return new Map(
      rows.map(({ id, status, deleted }) => [
        id.toLowerCase(),
        deleted === 0 && ['saving', 'uploading', 'importing'].includes(status),
      ]),
    );
  }

  private async locationsOf(
    sql: SqlReader,
    storeId: string,
    ids: readonly string[],
    subjects: readonly Subject[],
  ): Promise<{ value: string; isElsewhere: boolean }[]> {
    const columns = 'SELECT value, meta_data FROM image_locations WHERE';
    const urls = subjects.map(({ url }) => url);
    const byUrl = await inList<LocationPart>(sql, `${columns} ${LIVE} AND value`, urls);
    const byImage = await inList<LocationPart>(sql, `${columns} ${LIVE} AND image_id`, ids);
    return [...byUrl, ...byImage].map((row) => ({
      value: row.value,
      isElsewhere: this.isElsewhere(row, storeId),
    }));
  }

  /** Whether it certainly is in another store. What no store of the configuration explains may be anywhere. */
  private isElsewhere({ value, meta_data }: LocationPart, storeId: string): boolean {
    const store = storeOf({ url: value, metadata: parseMetadata(meta_data) }) ?? this.findStore(value);
    return store !== undefined && store !== storeId && Object.hasOwn(this.settings.config.stores, store);
  }
}

function inList<Row extends object>(
  sql: SqlReader,
  query: string,
  values: readonly SqlValue[],
): Promise<Row[]> {
  return values.length === 0
    ? Promise.resolve([])
    : sql.query<Row>(`${query} IN (${placeholders(values)})`, values);
}

/** Whether a URL names the object by its whole key, wherever that was when the URL was written. */
function isMentionedIn(url: string, { key, partialOf }: Subject): boolean {
  if (key === null || partialOf !== null) return false;
  const text = url.toLowerCase();
  const name = key.toLowerCase();
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1))
    if (!/^[.\w-]/.test(text.slice(at + name.length))) return true;
  return false;
}
