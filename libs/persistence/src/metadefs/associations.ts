import type { MetadefAssociation, MetadefResourceType, NewMetadefAssociation } from '@glimpse/contracts';
import { UniqueViolation } from '../database-errors.js';
import type { MetadefAssociationRow, MetadefResourceTypeRow } from '../metadef-tables.js';
import { type SqlReader, type Transaction, placeholders } from '../sql.js';
import { orDuplicate } from './duplicates.js';
import { canBeName, timesOf } from './stored-values.js';

type ReadAssociation = Omit<MetadefAssociationRow, 'resource_type_id'> & { name: string };

/** Every resource type that there is, by name. */
export async function listResourceTypes(sql: SqlReader): Promise<MetadefResourceType[]> {
  const rows = await sql.query<MetadefResourceTypeRow>(
    'SELECT name, created_at, updated_at FROM metadef_resource_types ORDER BY name',
  );
  return rows.map((row) => ({ name: row.name, ...timesOf(row) }));
}

/** What the namespaces are associated with, by the number of the namespace, in one statement. */
export async function listAssociations(
  sql: SqlReader,
  namespaceIds: readonly number[],
): Promise<Map<number, MetadefAssociation[]>> {
  const found = new Map<number, MetadefAssociation[]>(namespaceIds.map((id) => [id, []]));
  if (namespaceIds.length === 0) return found;
  const rows = await sql.query<ReadAssociation>(
    `SELECT a.namespace_id, t.name, a.prefix, a.properties_target, a.created_at, a.updated_at
       FROM metadef_namespace_resource_types a JOIN metadef_resource_types t ON t.id = a.resource_type_id
      WHERE a.namespace_id IN (${placeholders(namespaceIds)}) ORDER BY t.name`,
    namespaceIds,
  );
  for (const row of rows)
    found.get(row.namespace_id)?.push({
      name: row.name,
      prefix: row.prefix,
      propertiesTarget: row.properties_target,
      ...timesOf(row),
    });
  return found;
}

/** The association of one namespace with the resource type of that name. */
export async function findAssociation(
  sql: SqlReader,
  namespaceId: number,
  name: string,
): Promise<MetadefAssociation | undefined> {
  if (!canBeName(name)) return undefined;
  const [row] = await sql.query<ReadAssociation>(
    `SELECT a.namespace_id, t.name, a.prefix, a.properties_target, a.created_at, a.updated_at
       FROM metadef_namespace_resource_types a JOIN metadef_resource_types t ON t.id = a.resource_type_id
      WHERE a.namespace_id = ? AND t.name = ?`,
    [namespaceId, name],
  );
  if (row === undefined) return undefined;
  return { name: row.name, prefix: row.prefix, propertiesTarget: row.properties_target, ...timesOf(row) };
}

export interface AssociationOptions {
  /** What Glance's loader notes of resource types that came with a file. */
  readonly isSeeded?: boolean;
}

/** Associates a namespace, making the resource type where it is new. Throws METADEF_DUPLICATE. */
export async function insertAssociation(
  tx: Transaction,
  namespaceId: number,
  association: NewMetadefAssociation,
  now: string,
  options: AssociationOptions = {},
): Promise<void> {
  const resourceTypeId = await resourceTypeIdOf(tx, association.name, now, options);
  await orDuplicate(`The namespace is already associated with resource type ${association.name}.`, () =>
    tx.insert('metadef_namespace_resource_types', [
      {
        resource_type_id: resourceTypeId,
        namespace_id: namespaceId,
        prefix: association.prefix,
        properties_target: association.propertiesTarget,
        created_at: now,
        updated_at: now,
      },
    ]),
  );
}

/** Sets the prefix and the target of an association that is there. */
export async function updateAssociation(
  tx: Transaction,
  namespaceId: number,
  association: NewMetadefAssociation,
  now: string,
): Promise<void> {
  await tx.execute(
    `UPDATE metadef_namespace_resource_types SET prefix = ?, properties_target = ?, updated_at = ?
      WHERE namespace_id = ? AND resource_type_id = (SELECT id FROM metadef_resource_types WHERE name = ?)`,
    [association.prefix, association.propertiesTarget, now, namespaceId, association.name],
  );
}

/** Removes an association; the resource type stays. */
export async function deleteAssociation(tx: Transaction, namespaceId: number, name: string): Promise<void> {
  await tx.execute(
    `DELETE FROM metadef_namespace_resource_types
      WHERE namespace_id = ? AND resource_type_id = (SELECT id FROM metadef_resource_types WHERE name = ?)`,
    [namespaceId, name],
  );
}

async function resourceTypeIdOf(
  tx: Transaction,
  name: string,
  now: string,
  { isSeeded = false }: AssociationOptions,
): Promise<number> {
  const find = async () => {
    const [row] = await tx.query<Pick<MetadefResourceTypeRow, 'id'>>(
      'SELECT id FROM metadef_resource_types WHERE name = ?',
      [name],
    );
    return row?.id;
  };
  const existing = await find();
  if (existing !== undefined) return existing;
  try {
    await tx.insert('metadef_resource_types', [
      { name, protected: isSeeded ? 1 : 0, created_at: now, updated_at: now },
    ]);
  } catch (error) {
    // Somebody else has just made it.
    if (!(error instanceof UniqueViolation)) throw error;
  }
  const made = await find();
  if (made === undefined) throw new Error(`Resource type ${name} is not there after its insertion`);
  return made;
}
