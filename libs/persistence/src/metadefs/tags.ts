import type { MetadefTag } from '@glimpse/contracts';
import type { MetadefTagRow } from '../metadef-tables.js';
import type { SqlReader, Transaction } from '../sql.js';
import { listChildren } from './children.js';
import { orDuplicate } from './duplicates.js';
import { timesOf } from './stored-values.js';

/** A row in the words of the contract. */
export const toMetadefTag = (row: MetadefTagRow): MetadefTag => ({ name: row.name, ...timesOf(row) });

export async function listTags(sql: SqlReader, namespaceId: number): Promise<MetadefTag[]> {
  return (await listChildren(sql, 'metadef_tags', namespaceId)).map(toMetadefTag);
}

/** Adds tags, all or none. Throws METADEF_DUPLICATE. */
export async function insertTags(
  tx: Transaction,
  namespaceId: number,
  names: readonly string[],
  now: string,
): Promise<void> {
  const message =
    names.length === 1
      ? `The tag ${names[0]} already exists in the namespace.`
      : 'One of the tags already exists in the namespace, or is named twice.';
  await orDuplicate(message, () =>
    tx.insert(
      'metadef_tags',
      names.map((name) => ({ namespace_id: namespaceId, name, created_at: now, updated_at: now })),
    ),
  );
}

/** Throws METADEF_DUPLICATE where another tag of the namespace has the name. */
export async function renameTag(tx: Transaction, id: number, name: string, now: string): Promise<void> {
  await orDuplicate(`The tag ${name} already exists in the namespace.`, () =>
    tx.execute('UPDATE metadef_tags SET name = ?, updated_at = ? WHERE id = ?', [name, now, id]),
  );
}
