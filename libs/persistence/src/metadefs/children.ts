import type { SqlReader, Transaction } from '../sql.js';
import type { Tables } from '../tables.js';
import { canBeName } from './stored-values.js';

/** The tables of what has a name in a namespace. */
export type MetadefChildTable = 'metadef_objects' | 'metadef_properties' | 'metadef_tags';

/** What is in the namespace, the newest first, as Glance lists it. */
export const listChildren = <T extends MetadefChildTable>(
  sql: SqlReader,
  table: T,
  namespaceId: number,
): Promise<Tables[T][]> =>
  sql.query<Tables[T]>(`SELECT * FROM ${table} WHERE namespace_id = ? ORDER BY created_at DESC, id DESC`, [
    namespaceId,
  ]);

/** What has that name in the namespace, as the database compares names. */
export async function findChild<T extends MetadefChildTable>(
  sql: SqlReader,
  table: T,
  namespaceId: number,
  name: string,
): Promise<Tables[T] | undefined> {
  if (!canBeName(name)) return undefined;
  const [row] = await sql.query<Tables[T]>(`SELECT * FROM ${table} WHERE namespace_id = ? AND name = ?`, [
    namespaceId,
    name,
  ]);
  return row;
}

/** Deletes one row of the namespace's. */
export async function deleteChild(tx: Transaction, table: MetadefChildTable, id: number): Promise<void> {
  await tx.execute(`DELETE FROM ${table} WHERE id = ?`, [id]);
}

/** Deletes all rows of the namespace's and answers with their number. */
export const deleteChildren = (
  tx: Transaction,
  table: MetadefChildTable,
  namespaceId: number,
): Promise<number> => tx.execute(`DELETE FROM ${table} WHERE namespace_id = ?`, [namespaceId]);
