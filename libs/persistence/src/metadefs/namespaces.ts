import type { MetadefNamespace, NewMetadefNamespace } from '@glimpse/contracts';
import type { MetadefNamespaceRow } from '../metadef-tables.js';
import type { SqlReader, Transaction } from '../sql.js';
import { orDuplicate } from './duplicates.js';
import { canBeName, timesOf } from './stored-values.js';

/** What is written of a namespace. */
export type OwnedNamespace = NewMetadefNamespace & { readonly owner: string };

/** A namespace and the number of its row. */
export interface StoredNamespace {
  readonly id: number;
  readonly namespace: MetadefNamespace;
}

/** The columns of a namespace, of the table `metadef_namespaces n`. */
export const metadefNamespaceColumns =
  'n.id, n.namespace, n.display_name, n.description, n.visibility, n.protected, n.owner, n.created_at, n.updated_at';

const toColumns = (namespace: OwnedNamespace) =>
  ({
    namespace: namespace.namespace,
    display_name: namespace.displayName,
    description: namespace.description,
    visibility: namespace.visibility,
    protected: namespace.protected ? 1 : 0,
    owner: namespace.owner,
  }) as const satisfies Partial<MetadefNamespaceRow>;

/** A row in the words of the contract. What no release of Glance writes counts as private and unprotected. */
export const toStoredNamespace = (row: MetadefNamespaceRow): StoredNamespace => ({
  id: row.id,
  namespace: {
    namespace: row.namespace,
    displayName: row.display_name,
    description: row.description,
    visibility: row.visibility === 'public' ? 'public' : 'private',
    protected: row.protected === 1,
    owner: row.owner,
    ...timesOf(row),
  },
});

/** The namespace of that name, as the database compares names: MySQL ignores case and accents, SQLite does not. */
export async function findNamespace(sql: SqlReader, name: string): Promise<StoredNamespace | undefined> {
  if (!canBeName(name)) return undefined;
  const [row] = await sql.query<MetadefNamespaceRow>(
    `SELECT ${metadefNamespaceColumns} FROM metadef_namespaces n WHERE n.namespace = ?`,
    [name],
  );
  return row === undefined ? undefined : toStoredNamespace(row);
}

/** As `findNamespace`; no other transaction changes the namespace, or what is in it, before this one has ended. */
export async function takeNamespace(tx: Transaction, name: string): Promise<StoredNamespace | undefined> {
  if (!canBeName(name)) return undefined;
  const matched = await tx.execute(
    'UPDATE metadef_namespaces SET namespace = namespace WHERE namespace = ?',
    [name],
  );
  return matched === 1 ? findNamespace(tx, name) : undefined;
}

const duplicate = (name: string) => `The metadata definition namespace ${name} already exists.`;

/** Adds a namespace with nothing in it and answers with the number of its row. Throws METADEF_DUPLICATE. */
export async function insertNamespace(
  tx: Transaction,
  namespace: OwnedNamespace,
  now: string,
): Promise<number> {
  await orDuplicate(duplicate(namespace.namespace), () =>
    tx.insert('metadef_namespaces', [{ ...toColumns(namespace), created_at: now, updated_at: now }]),
  );
  const stored = await findNamespace(tx, namespace.namespace);
  if (stored === undefined)
    throw new Error(`Namespace ${namespace.namespace} is not there after its insertion`);
  return stored.id;
}

/** Sets all attributes of a namespace. Throws METADEF_DUPLICATE where another one has the name. */
export async function updateNamespace(
  tx: Transaction,
  id: number,
  namespace: OwnedNamespace,
  now: string,
): Promise<void> {
  const columns = Object.entries({ ...toColumns(namespace), updated_at: now });
  await orDuplicate(duplicate(namespace.namespace), () =>
    tx.execute(
      `UPDATE metadef_namespaces SET ${columns.map(([name]) => `${name} = ?`).join(', ')} WHERE id = ?`,
      [...columns.map(([, value]) => value), id],
    ),
  );
}

/** Deletes a namespace with all that is in it. The resource types stay. */
export async function deleteNamespace(tx: Transaction, id: number): Promise<void> {
  for (const table of [
    'metadef_objects',
    'metadef_properties',
    'metadef_tags',
    'metadef_namespace_resource_types',
  ])
    await tx.execute(`DELETE FROM ${table} WHERE namespace_id = ?`, [id]);
  await tx.execute('DELETE FROM metadef_namespaces WHERE id = ?', [id]);
}
