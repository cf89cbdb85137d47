import type { MetadefNamespaceQuery } from '@glimpse/contracts';
import { type SqlValue, exactly, metadefNamespaceColumns, placeholders } from '@glimpse/persistence';

type SortKey = MetadefNamespaceQuery['sortKey'];

/** What a list is sorted by, of the table `metadef_namespaces n`: an absent text counts as empty. */
const sortExpressions = {
  id: 'n.id',
  namespace: 'n.namespace',
  display_name: "COALESCE(n.display_name, '')",
  description: "COALESCE(n.description, '')",
  visibility: "COALESCE(n.visibility, 'private')",
  protected: 'COALESCE(n.protected, 0)',
  owner: 'n.owner',
  created_at: 'n.created_at',
  updated_at: 'COALESCE(n.updated_at, n.created_at)',
} as const satisfies Record<SortKey, string>;

/** The namespace behind which a page begins. */
export interface NamespaceMarker {
  readonly id: number;
  /** What the list is sorted by. */
  readonly value: string | number;
}

/** The statement that finds the value by which a list is sorted for one namespace. */
export const markerQuery = (sortKey: SortKey): string =>
  `SELECT n.id, ${sortExpressions[sortKey]} AS value FROM metadef_namespaces n WHERE n.id = ?`;

/** The statement for one page. `projectId` is whose private namespaces appear; undefined for everybody's. */
export function namespaceListQuery(
  query: MetadefNamespaceQuery,
  projectId: string | null | undefined,
  marker: NamespaceMarker | undefined,
): { sql: string; values: SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (sql: string, ...bound: SqlValue[]) => {
    conditions.push(sql);
    values.push(...bound);
  };
  if (projectId === null) where("n.visibility = 'public'");
  else if (projectId !== undefined) {
    const own = exactly('n.owner', projectId);
    where(`(n.visibility = 'public' OR ${own.sql})`, ...own.values);
  }
  if (query.visibility !== undefined) where(`${sortExpressions.visibility} = ?`, query.visibility);
  if (query.resourceTypes !== undefined)
    where(
      `n.id IN (SELECT a.namespace_id FROM metadef_namespace_resource_types a
         JOIN metadef_resource_types t ON t.id = a.resource_type_id WHERE t.name IN (${placeholders(query.resourceTypes)}))`,
      ...query.resourceTypes,
    );
  const expression = sortExpressions[query.sortKey];
  if (marker !== undefined) {
    const beyond = query.sortDirection === 'asc' ? '>' : '<';
    where(
      `(${expression} ${beyond} ? OR (${expression} = ? AND n.id ${beyond} ?))`,
      marker.value,
      marker.value,
      marker.id,
    );
  }
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return {
    sql: `SELECT ${metadefNamespaceColumns} FROM metadef_namespaces n ${filter}
      ORDER BY ${expression} ${query.sortDirection}, n.id ${query.sortDirection} LIMIT ${query.limit}`,
    values,
  };
}
