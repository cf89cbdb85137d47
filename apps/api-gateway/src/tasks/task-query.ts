import type { Config } from '@glimpse/config';
import { ServiceError, TaskFilter, type TaskQuery, TaskSortKey, TaskStatus } from '@glimpse/contracts';
import { parsePageLimit, parseSortDirection } from '../http/pagination.js';
import type { QueryPair } from '../http/query-string.js';
import { checkStorableText } from '../http/text.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

function parseSortKey(text: string): TaskSortKey {
  const key = TaskSortKey.safeParse(text.trim());
  if (!key.success) throw invalid(`Invalid sort key: ${text}`);
  return key.data;
}

function parseFilters(values: ReadonlyMap<string, string>): TaskQuery['filters'] {
  const filters: TaskQuery['filters'] = {};
  for (const [key, value] of values) {
    const filter = TaskFilter.safeParse(key);
    if (!filter.success) continue;
    checkStorableText('The query', value);
    filters[filter.data] = value;
  }
  if (filters.status !== undefined && !TaskStatus.safeParse(filters.status).success)
    throw invalid(`Invalid status value: ${filters.status}`);
  // Glance knows more types, but not here.
  if (filters.type !== undefined && filters.type !== 'import')
    throw invalid(`Invalid type value: ${filters.type}`);
  return filters;
}

/** Parses the parameters of a list of tasks; of a repeated one the last value counts. Throws REQUEST_INVALID. */
export function parseTaskQuery(pairs: readonly QueryPair[], limits: Config['limits']): TaskQuery {
  const values = new Map(pairs);
  const marker = values.get('marker');
  if (marker !== undefined && !UUID.test(marker)) throw invalid('Invalid marker format');
  return {
    limit: parsePageLimit(values.get('limit'), limits),
    ...(marker === undefined ? {} : { marker }),
    sortKey: parseSortKey(values.get('sort_key') ?? 'created_at'),
    sortDirection: parseSortDirection((values.get('sort_dir') ?? 'desc').trim()),
    filters: parseFilters(values),
  };
}
