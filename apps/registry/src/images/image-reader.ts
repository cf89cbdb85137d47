import { type ImageLocation, type Properties, isStorableText, storeOf } from '@glimpse/contracts';
import { Database, type SqlReader } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { LocationStores } from '../locations/location-stores.js';
import { RegistrySettings } from '../registry-settings.js';
import { type WholeImage, addParts, readImages } from './image-parts.js';
import { type ReadImageRow, toImageAttributes } from './image-rows.js';
import { bestFirst } from './location-order.js';
import type { StoredImage } from './stored-image.js';

/** Ids in the database are at most this long. */
const MAX_ID_LENGTH = 36;
const MAX_BATCH = 200;

/** Any text may be asked for; some can be no image's. */
const canBeId = (id: string) => id.length <= MAX_ID_LENGTH && isStorableText(id);

/** The database ignores the case of an id. */
const idKey = (id: string) => id.toLowerCase();

/** Shows clients, like Glance's properties of an import, in which stores the data is damaged. No row holds it. */
const DAMAGED_STORES = 'os_glance_damaged_stores';

/** Reads images with all that belongs to them, in one statement however many there are. */
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
    const [found] = canBeId(id) ? await readImages(this.database, [id]) : [];
    return found?.row;
  }

  /** The image as the transaction sees it. */
  async findIn(tx: SqlReader, id: string): Promise<StoredImage | undefined> {
    if (!canBeId(id)) return undefined;
    const [found] = await readImages(tx, [id]);
    return found !== undefined && idKey(found.row.id) === idKey(id) ? this.toStoredImage(found) : undefined;
  }

  /** The images of the rows, in their order. */
  async complete(sql: SqlReader, rows: readonly ReadImageRow[]): Promise<StoredImage[]> {
    return (await addParts(sql, rows)).map((found) => this.toStoredImage(found));
  }

  private async loadInOrder(ids: readonly string[]): Promise<(StoredImage | undefined)[]> {
    const found = await readImages(this.database, [...new Set(ids)]);
    const byId = new Map(found.map((one) => [idKey(one.row.id), this.toStoredImage(one)]));
    return ids.map((id) => byId.get(idKey(id)));
  }

  private toStoredImage({ row, parts }: WholeImage): StoredImage {
    const locations = bestFirst(
      parts.locations.map((location) => this.locationStores.named(location)),
      this.settings.config,
    );
    const damaged = parts.damaged.map((location) => this.locationStores.named(location));
    const stores = locations.map(storeOf).filter((store) => store !== undefined);
    return {
      image: {
        ...toImageAttributes(row),
        tags: parts.tags,
        properties: this.withDamage(parts.properties, damaged),
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
