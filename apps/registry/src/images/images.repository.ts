import type { Image, StoredData } from '@glimpse/contracts';
import { ServiceError } from '@glimpse/contracts';
import {
  type Flag,
  type ImageRow,
  type SqlValue,
  type Transaction,
  UniqueViolation,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { insertProperties, saveProperties } from './image-properties.js';
import { insertTags, saveTags } from './image-tags.js';

const flagOf = (value: boolean): Flag => (value ? 1 : 0);

/** What a change to an image can change in its own row. */
const toColumns = (image: Image) =>
  ({
    name: image.name,
    visibility: image.visibility,
    protected: flagOf(image.protected),
    os_hidden: flagOf(image.osHidden),
    owner: image.owner,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    min_ram: image.minRam,
    min_disk: image.minDisk,
  }) satisfies Partial<ImageRow>;

/** Writes images. `now` is the time of the change, for Glance's columns. */
@Injectable()
export class ImagesRepository {
  /** Throws IMAGE_DUPLICATE where the id is taken, be it by an image that was deleted. */
  async insert(tx: Transaction, image: Image, now: string): Promise<void> {
    try {
      await tx.insert('images', [
        {
          id: image.id,
          status: image.status,
          ...toColumns(image),
          created_at: now,
          updated_at: now,
          deleted: 0,
        },
      ]);
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error;
      throw new ServiceError('IMAGE_DUPLICATE', `Image ID ${image.id} already exists!`, { cause: error });
    }
    await insertProperties(tx, image.id, Object.entries(image.properties), now);
    await insertTags(tx, image.id, image.tags, now);
  }

  /** Saves what is different, and that the image changed now. The transaction holds the image. */
  async save(tx: Transaction, before: Image, after: Image, now: string): Promise<void> {
    const old: Record<string, SqlValue> = toColumns(before);
    const changed = Object.entries(toColumns(after)).filter(([name, value]) => old[name] !== value);
    await tx.execute(
      `UPDATE images SET ${['updated_at', ...changed.map(([name]) => name)].map((name) => `${name} = ?`).join(', ')}
        WHERE id = ?`,
      [now, ...changed.map(([, value]) => value), before.id],
    );
    await saveProperties(tx, before.id, before.properties, after.properties, now);
    await saveTags(tx, before.id, before.tags, after.tags, now);
  }

  async insertLocation(tx: Transaction, id: string, { location }: StoredData, now: string): Promise<void> {
    await tx.insert('image_locations', [
      {
        image_id: id,
        value: location.url,
        meta_data: JSON.stringify(location.metadata),
        status: 'active',
        created_at: now,
        updated_at: now,
        deleted: 0,
      },
    ]);
  }

  /** Marks everything that belongs to the image as deleted; its locations as such that still hold data, or don't. */
  async deleteChildren(
    tx: Transaction,
    id: string,
    now: string,
    locationStatus: 'deleted' | 'pending_delete',
  ): Promise<void> {
    for (const table of ['image_properties', 'image_tags', 'image_members'])
      await tx.execute(`UPDATE ${table} SET deleted = 1, deleted_at = ? WHERE image_id = ? AND deleted = 0`, [
        now,
        id,
      ]);
    await tx.execute(
      'UPDATE image_locations SET deleted = 1, deleted_at = ?, status = ? WHERE image_id = ? AND deleted = 0',
      [now, locationStatus, id],
    );
  }
}
