import type { TaskQuery } from '@glimpse/contracts';
import { type SqlValue, type TaskRow, exactly } from '@glimpse/persistence';

/** A statement with its values. */
export interface ListStatement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Where a page begins: behind this task. */
export type TaskMarker = Pick<TaskRow, 'id' | 'created_at'> & Readonly<Record<string, unknown>>;

/** Columns that may be null; a null comes where the empty text would. */
const nullable: ReadonlySet<string> = new Set([
  'expires_at',
  'image_id',
  'request_id',
  'user_id',
  'deleted_at',
]);

const comparable = (column: string) => (nullable.has(column) ? `COALESCE(${column}, '')` : column);

/** The page of a list of tasks. `owner` restricts it to that project's tasks. */
export function taskListStatement(
  query: TaskQuery,
  restriction: { owner: string | undefined; now: string },
  marker: TaskMarker | undefined,
): ListStatement {
  const conditions = ['deleted = 0', '(expires_at IS NULL OR expires_at > ?)'];
  const values: SqlValue[] = [restriction.now];
  for (const [column, value] of Object.entries(query.filters)) {
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  if (restriction.owner !== undefined) {
    const own = exactly('owner', restriction.owner);
    conditions.push(own.sql);
    values.push(...own.values);
  }
  const keys = [...new Set([query.sortKey, 'created_at', 'id'])];
  if (marker !== undefined) {
    const behind = isBehind(keys, query.sortDirection, marker);
    conditions.push(behind.sql);
    values.push(...behind.values);
  }
  const order = keys.map((key) => `${comparable(key)} ${query.sortDirection}`).join(', ');
  return {
    sql: `SELECT * FROM tasks WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ${query.limit}`,
    values,
  };
}

function isBehind(keys: readonly string[], direction: 'asc' | 'desc', marker: TaskMarker): ListStatement {
  const sign = direction === 'asc' ? '>' : '<';
  const valueOf = (key: string) => (marker[key] ?? '') as SqlValue;
  const alternatives = keys.map((key, at) => {
    const same = keys.slice(0, at).map((earlier) => `${comparable(earlier)} = ?`);
    return [...same, `${comparable(key)} ${sign} ?`].join(' AND ');
  });
  return {
    sql: `(${alternatives.map((text) => `(${text})`).join(' OR ')})`,
    values: keys.flatMap((_, at) => keys.slice(0, at + 1).map(valueOf)),
  };
}
