import type { MetadefObject, NewMetadefObject } from '@glimpse/contracts';
import type { MetadefObjectRow } from '../metadef-tables.js';
import type { SqlReader, Transaction } from '../sql.js';
import { listChildren } from './children.js';
import { orDuplicate } from './duplicates.js';
import { fittingText, parseProperties, timesOf } from './stored-values.js';

/** A row in the words of the contract. */
export const toMetadefObject = (row: MetadefObjectRow): MetadefObject => ({
  name: row.name,
  description: row.description,
  required: row.required === null || row.required === '' ? [] : row.required.split(','),
  properties: parseProperties(row.json_schema),
  ...timesOf(row),
});

export async function listObjects(sql: SqlReader, namespaceId: number): Promise<MetadefObject[]> {
  return (await listChildren(sql, 'metadef_objects', namespaceId)).map(toMetadefObject);
}

function toColumns({ name, description, required, properties }: NewMetadefObject) {
  const ofObject = `The object ${name}`;
  return {
    name,
    description: description === null ? null : fittingText(ofObject, description),
    required: required.length === 0 ? null : fittingText(ofObject, required.join(',')),
    json_schema: fittingText(ofObject, JSON.stringify(properties)),
  } satisfies Partial<MetadefObjectRow>;
}

const duplicate = (name: string) => `The object ${name} already exists in the namespace.`;

/** Throws METADEF_DUPLICATE, and REQUEST_INVALID where it is too large. */
export async function insertObject(
  tx: Transaction,
  namespaceId: number,
  object: NewMetadefObject,
  now: string,
): Promise<void> {
  await orDuplicate(duplicate(object.name), () =>
    tx.insert('metadef_objects', [
      { namespace_id: namespaceId, ...toColumns(object), created_at: now, updated_at: now },
    ]),
  );
}

/** Sets all of an object. Throws as `insertObject` does. */
export async function updateObject(
  tx: Transaction,
  id: number,
  object: NewMetadefObject,
  now: string,
): Promise<void> {
  const { name, description, required, json_schema: schema } = toColumns(object);
  await orDuplicate(duplicate(name), () =>
    tx.execute(
      'UPDATE metadef_objects SET name = ?, description = ?, required = ?, json_schema = ?, updated_at = ? WHERE id = ?',
      [name, description, required, schema, now, id],
    ),
  );
}
