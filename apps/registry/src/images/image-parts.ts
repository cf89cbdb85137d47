import type { ImageLocation, Properties } from '@glimpse/contracts';
import { type SqlReader, placeholders } from '@glimpse/persistence';
import { type ReadImageRow, imageColumnList, imageColumns } from './image-rows.js';

/** What belongs to an image, of tables of their own. */
export interface ImageParts {
  readonly properties: Properties;
  readonly tags: string[];
  readonly locations: ImageLocation[];
  /** Locations whose data is damaged. */
  readonly damaged: ImageLocation[];
}

/** A row with all that belongs to it. */
export interface WholeImage {
  readonly row: ReadImageRow;
  readonly parts: ImageParts;
}

/** A part in one shape for all kinds: a property's name and value, a tag, a location's URL and metadata. */
interface PartRow {
  readonly image_id: string;
  readonly kind: 'property' | 'tag' | 'location' | 'damaged';
  readonly first: string;
  readonly second: string | null;
}

type ImageOrPartRow = PartRow | (ReadImageRow & { readonly image_id: string; readonly kind: 'image' });

/**
 * For MySQL, which plans by its statistics of a table otherwise: where that has grown since they were made, it reads
 * the whole of it. SQLite takes it for a comment.
 */
const byIndex = (name: string) => `/*! FORCE INDEX (${name}) */`;

/** The parts of the images in `list`; `more` are further columns. */
const selectParts = (list: string, more = '') => `
  SELECT image_id, 'property' AS kind, name AS first, value AS second${more}
    FROM image_properties ${byIndex('ix_image_properties_image_id')} WHERE image_id IN (${list}) AND deleted = 0
  UNION ALL SELECT image_id, 'tag', value, NULL${more}
    FROM image_tags ${byIndex('ix_image_tags_image_id')} WHERE image_id IN (${list}) AND deleted = 0
  UNION ALL SELECT l.image_id, CASE WHEN c.damaged_at IS NULL THEN 'location' ELSE 'damaged' END, l.value, l.meta_data${more}
    FROM image_locations l ${byIndex('ix_image_locations_image_id')} LEFT JOIN location_checks c ON c.location_id = l.id
   WHERE l.image_id IN (${list}) AND l.deleted = 0 AND l.status = 'active'`;

const noColumns = imageColumns.map(() => ', NULL').join('');

const newParts = (): ImageParts => ({
  // Names of properties are the client's: without a prototype `__proto__` is one like any other.
  properties: Object.create(null) as Properties,
  tags: [],
  locations: [],
  damaged: [],
});

/** The images of the ids, as far as there are any, in one statement. */
export async function readImages(sql: SqlReader, ids: readonly string[]): Promise<WholeImage[]> {
  const list = placeholders(ids);
  const rows = await sql.query<ImageOrPartRow>(
    `SELECT i.id AS image_id, 'image' AS kind, NULL AS first, NULL AS second, ${imageColumnList}
       FROM images i ${byIndex('PRIMARY')} WHERE i.id IN (${list}) AND i.deleted = 0
     UNION ALL ${selectParts(list, noColumns)}`,
    [...ids, ...ids, ...ids, ...ids],
  );
  const partsOf = collectParts(rows.filter((row) => row.kind !== 'image'));
  return rows
    .filter((row) => row.kind === 'image')
    .map((row) => ({ row, parts: partsOf.get(row.id) ?? newParts() }));
}

/** The parts of images whose rows were read before. */
export async function addParts(sql: SqlReader, rows: readonly ReadImageRow[]): Promise<WholeImage[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const found = await sql.query<PartRow>(selectParts(placeholders(ids)), [...ids, ...ids, ...ids]);
  const partsOf = collectParts(found);
  return rows.map((row) => ({ row, parts: partsOf.get(row.id) ?? newParts() }));
}

function collectParts(rows: readonly PartRow[]): Map<string, ImageParts> {
  const byImage = new Map<string, ImageParts>();
  for (const row of rows) {
    let parts = byImage.get(row.image_id);
    if (parts === undefined) {
      parts = newParts();
      byImage.set(row.image_id, parts);
    }
    addPart(parts, row);
  }
  return byImage;
}

function addPart(parts: ImageParts, { kind, first, second }: PartRow): void {
  if (kind === 'property') parts.properties[first] = second;
  else if (kind === 'tag') parts.tags.push(first);
  else
    parts[kind === 'damaged' ? 'damaged' : 'locations'].push({
      url: first,
      metadata: parseMetadata(second),
    });
}

/** The metadata of a location, of its column. */
export function parseMetadata(text: string | null): Record<string, unknown> {
  const value: unknown = text === null ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
