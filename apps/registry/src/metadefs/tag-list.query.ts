import type { MetadefTagQuery } from '@glimpse/contracts';
import type { MetadefTagRow, SqlValue } from '@glimpse/persistence';

/** What a list of tags is sorted by. */
const sortExpressions = {
  id: 'id',
  namespace_id: 'namespace_id',
  name: 'name',
  created_at: 'created_at',
  updated_at: 'COALESCE(updated_at, created_at)',
} as const satisfies Record<MetadefTagQuery['sortKey'], string>;

/** The statement for the tags of a namespace, those behind the marker. */
export function tagListQuery(
  namespaceId: number,
  { sortKey, sortDirection, limit }: MetadefTagQuery,
  marker: MetadefTagRow | undefined,
): { sql: string; values: SqlValue[] } {
  const expression = sortExpressions[sortKey];
  const beyond = sortDirection === 'asc' ? '>' : '<';
  const keyset =
    marker === undefined ? '' : `AND (${expression} ${beyond} ? OR (${expression} = ? AND id ${beyond} ?))`;
  const value =
    marker === undefined
      ? undefined
      : sortKey === 'updated_at'
        ? (marker.updated_at ?? marker.created_at)
        : marker[sortKey];
  return {
    sql: `SELECT id, name, created_at, updated_at FROM metadef_tags WHERE namespace_id = ? ${keyset}
      ORDER BY ${expression} ${sortDirection}, id ${sortDirection}${limit === undefined ? '' : ` LIMIT ${limit}`}`,
    values: [namespaceId, ...(marker === undefined || value === undefined ? [] : [value, value, marker.id])],
  };
}
