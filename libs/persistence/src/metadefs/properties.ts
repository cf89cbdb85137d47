import { type MetadefProperties, type MetadefProperty, toStoredProperty } from '@glimpse/contracts';
import type { MetadefPropertyRow } from '../metadef-tables.js';
import type { SqlReader, Transaction } from '../sql.js';
import { listChildren } from './children.js';
import { orDuplicate } from './duplicates.js';
import { fittingText, parseObject } from './stored-values.js';

/** What describes the property of a row. */
export const toMetadefProperty = (row: MetadefPropertyRow): MetadefProperty =>
  toStoredProperty(parseObject(row.json_schema));

export async function listProperties(sql: SqlReader, namespaceId: number): Promise<MetadefProperties> {
  const properties = Object.create(null) as MetadefProperties;
  for (const row of await listChildren(sql, 'metadef_properties', namespaceId))
    properties[row.name] = toMetadefProperty(row);
  return properties;
}

const duplicate = (name: string) => `The property ${name} already exists in the namespace.`;
const toText = (name: string, property: MetadefProperty) =>
  fittingText(`The property ${name}`, JSON.stringify(property));

/** Throws METADEF_DUPLICATE, and REQUEST_INVALID where it is too large. */
export async function insertProperty(
  tx: Transaction,
  namespaceId: number,
  name: string,
  property: MetadefProperty,
  now: string,
): Promise<void> {
  const row = { namespace_id: namespaceId, name, json_schema: toText(name, property) };
  await orDuplicate(duplicate(name), () =>
    tx.insert('metadef_properties', [{ ...row, created_at: now, updated_at: now }]),
  );
}

/** Sets all of a property. Throws as `insertProperty` does. */
export async function updateProperty(
  tx: Transaction,
  id: number,
  name: string,
  property: MetadefProperty,
  now: string,
): Promise<void> {
  const text = toText(name, property);
  await orDuplicate(duplicate(name), () =>
    tx.execute('UPDATE metadef_properties SET name = ?, json_schema = ?, updated_at = ? WHERE id = ?', [
      name,
      text,
      now,
      id,
    ]),
  );
}
