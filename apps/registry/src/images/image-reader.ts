import { type ImageLocation, type Properties, isStorableText, storeOf } from '@glimpse/contracts';
import { Database, type SqlReader, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { LocationStores } from '../locations/location-stores.js';
import { RegistrySettings } from '../registry-settings.js';
import { type ReadImageRow, imageColumnList, toImageAttributes } from './image-rows.js';
import { bestFirst } from './location-order.js';
import type { StoredImage } from './stored-image.js';

/** Ids in the database are at most this long. */
const MAX_ID_LENGTH = 36;
const MAX_BATCH = 200;

/** Any text may be asked for; some can be no image's. */
const canBeId = (id: string) => id.length <= MAX_ID_LENGTH && isStorableText(id);

/** The database ignores the case of an id. */
const idKey = (id: string) => id.toLowerCase();

interface Children {
  readonly properties: Properties;
  readonly tags: string[];
  readonly locations: ImageLocation[];
  readonly damaged: ImageLocation[];
}

/** Shows clients, like Glance's properties of an import, in which stores the data is damaged. No row holds it. */
export const DAMAGED_STORES = 'os_glance_damaged_stores';

/** What belongs to an image, in one shape: a property's name and value, a tag, a location's URL and metadata. */
interface ChildRow {
  image_id: string;
  kind: 'property' | 'tag' | 'location' | 'damaged';
  first: string;
  second: string | null;
}

/** Reads images with all that belongs to them, in two statements however many there are. */
@Injectable()
export class ImageReader {
  private readonly loader: DataLoader<string, StoredImage | undefined>;

  constructor(
    private readonly database: Database,
    private readonly locationStores: LocationStores,
    private readonly settings: RegistrySettings,
  ) {
    this.loader = new DataLoader((ids) => this.loadInOrder(ids), { cache: false, maxBatchSize: MAX_BATCH });
  }

  /** The image as it is committed. Calls that arrive together become one query. */
  find(id: string): Promise<StoredImage | undefined> {
    return canBeId(id) ? this.loader.load(id) : Promise.resolve(undefined);
  }

  /** The image's own row as it is committed. */
  async findRow(id: string): Promise<ReadImageRow | undefined> {
    const [row] = canBeId(id) ? await readRows(this.database, [id]) : [];
    return row;
  }

  /** The image as the transaction sees it. */
  async findIn(tx: SqlReader, id: string): Promise<StoredImage | undefined> {
    if (!canBeId(id)) return undefined;
    const [stored] = await this.complete(tx, await readRows(tx, [id]));
    return stored !== undefined && idKey(stored.image.id) === idKey(id) ? stored : undefined;
  }

  /** The images of the rows, in their order. */
  async complete(sql: SqlReader, rows: readonly ReadImageRow[]): Promise<StoredImage[]> {
    if (rows.length === 0) return [];
    const children = await readChildren(
      sql,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => this.toStoredImage(row, children.get(row.id)));
  }

  private async loadInOrder(ids: readonly string[]): Promise<(StoredImage | undefined)[]> {
    const wanted = [...new Set(ids)];
    // At once, on two connections: the wait for the database is most of the time that a read takes.
    const [rows, children] = await Promise.all([
      readRows(this.database, wanted),
      readChildren(this.database, wanted),
    ]);
    const byId = new Map(rows.map((row) => [idKey(row.id), this.toStoredImage(row, children.get(row.id))]));
    return ids.map((id) => byId.get(idKey(id)));
  }

  private toStoredImage(row: ReadImageRow, children: Children | undefined): StoredImage {
    const locations = bestFirst(
      (children?.locations ?? []).map((location) => this.locationStores.named(location)),
      this.settings.config,
    );
    const damaged = (children?.damaged ?? []).map((location) => this.locationStores.named(location));
    const stores = locations.map(storeOf).filter((store) => store !== undefined);
    return {
      image: {
        ...toImageAttributes(row),
        tags: children?.tags ?? [],
        properties: this.withDamage(children?.properties ?? {}, damaged),
        stores: [...new Set(stores)],
      },
      locations,
      damaged,
    };
  }

  private withDamage(properties: Properties, damaged: readonly ImageLocation[]): Properties {
    if (damaged.length === 0) return properties;
    const stores = damaged.map((location) => storeOf(location) ?? this.settings.config.defaultStore);
    properties[DAMAGED_STORES] = [...new Set(stores)].toSorted().join(',');
    return properties;
  }
}

/**
 * For MySQL, which else plans by its statistics of the table: those of one that has grown since have it read whole.
 * SQLite takes it for a comment. Foreign keys see to it that the indexes are there.
 */
const byIndex = (name: string) => `/*! FORCE INDEX (${name}) */`;

const readRows = (sql: SqlReader, ids: readonly string[]) =>
  sql.query<ReadImageRow>(
    `SELECT ${imageColumnList} FROM images i ${byIndex('PRIMARY')} WHERE i.id IN (${placeholders(ids)}) AND i.deleted = 0`,
    ids,
  );

async function readChildren(sql: SqlReader, ids: readonly string[]): Promise<Map<string, Children>> {
  const list = placeholders(ids);
  const rows = await sql.query<ChildRow>(
    `SELECT image_id, 'property' AS kind, name AS first, value AS second
       FROM image_properties ${byIndex('ix_image_properties_image_id')} WHERE image_id IN (${list}) AND deleted = 0
     UNION ALL SELECT image_id, 'tag', value, NULL
       FROM image_tags ${byIndex('ix_image_tags_image_id')} WHERE image_id IN (${list}) AND deleted = 0
     UNION ALL SELECT l.image_id, CASE WHEN c.damaged_at IS NULL THEN 'location' ELSE 'damaged' END, l.value, l.meta_data
       FROM image_locations l ${byIndex('ix_image_locations_image_id')} LEFT JOIN location_checks c ON c.location_id = l.id
      WHERE l.image_id IN (${list}) AND l.deleted = 0 AND l.status = 'active'`,
    [...ids, ...ids, ...ids],
  );
  const byImage = new Map<string, Children>();
  for (const row of rows) {
    let children = byImage.get(row.image_id);
    if (children === undefined) {
      // Names of properties are the client's: without a prototype `__proto__` is one like any other.
      children = { properties: Object.create(null) as Properties, tags: [], locations: [], damaged: [] };
      byImage.set(row.image_id, children);
    }
    addChild(children, row);
  }
  return byImage;
}

function addChild(children: Children, row: ChildRow): void {
  if (row.kind === 'property') children.properties[row.first] = row.second;
  else if (row.kind === 'tag') children.tags.push(row.first);
  else
    children[row.kind === 'damaged' ? 'damaged' : 'locations'].push({
      url: row.first,
      metadata: parseMetadata(row.second),
    });
}

/** The metadata of a location, of its column. */
export function parseMetadata(text: string | null): Record<string, unknown> {
  const value: unknown = text === null ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
