import type { Database } from '@glimpse/persistence';

/** Children first, as the foreign keys ask for. */
const tables = [
  'metadef_namespace_resource_types',
  'metadef_objects',
  'metadef_properties',
  'metadef_tags',
  'metadef_namespaces',
  'metadef_resource_types',
] as const;

/** Deletes every metadata definition, all at once, and answers with the number of rows by table. */
export function unloadDefinitions(database: Database): Promise<Record<string, number>> {
  return database.unitOfWork.run(async (tx) => {
    const deleted: Record<string, number> = {};
    for (const table of tables) deleted[table] = await tx.execute(`DELETE FROM ${table} WHERE 1 = 1`);
    return deleted;
  });
}
