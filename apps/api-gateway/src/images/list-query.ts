import type { Config } from '@glimpse/config';
import {
  type ImageQuery,
  ServiceError,
  Visibility,
  equalityFilterColumns,
  rangeFilterColumns,
  textFilterColumns,
} from '@glimpse/contracts';
import { parsePageLimit, parseWholeNumber } from '../http/pagination.js';
import type { QueryPair } from '../http/query-string.js';
import { checkStorableText } from '../http/text.js';
import { parseTextFilter, splitOperator } from './filter-value.js';
import { parseIsoTime } from './iso-time.js';
import { parseListSort } from './list-sort.js';

type PageLimits = Pick<Config['limits'], 'pageDefault' | 'pageMax'>;
type TimeFilter = ImageQuery['times'][number];
type RangeFilter = ImageQuery['ranges'][number];

const SORTING = new Set(['sort', 'sort_key', 'sort_dir']);
/** Of these the first occurrence is meant; Glance takes a second one for a custom property. */
const ONCE = new Set(['limit', 'marker', 'member_status', 'visibility', 'sort']);
/** Names inside Glance that a filter can't mean. */
const COLLISIONS = new Set(['properties', 'locations', 'members', '__proto__']);

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);
const isOneOf = <T extends string>(values: readonly T[], text: string): text is T =>
  (values as readonly string[]).includes(text);

function parseMemberStatus(text: string | undefined): ImageQuery['memberStatus'] {
  if (text === undefined) return 'accepted';
  if (isOneOf(['pending', 'accepted', 'rejected', 'all'] as const, text)) return text;
  throw invalid(`Invalid status: ${text}`);
}

function parseVisibility(text: string): ImageQuery['visibility'] {
  const visibility = Visibility.safeParse(text);
  if (visibility.success) return visibility.data;
  if (text === 'all' || text === '') return text;
  throw invalid(`Invalid visibility value: ${text}`);
}

function parseTime(column: TimeFilter['column'], expression: string): TimeFilter {
  const { operator, value } = splitOperator(expression);
  const time = parseIsoTime(value);
  if (time === null) throw invalid(`'${value}' is not a time in ISO 8601.`);
  const name = operator ?? 'eq';
  if (!isOneOf(['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const, name))
    throw invalid(`Unable to filter by unknown operator '${name}' on '${column}'.`);
  return { column, operator: name, value: time };
}

function parseHidden(text: string): boolean {
  const value = text.toLowerCase();
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(
    `Invalid value '${text}' for 'os_hidden' filter. Valid values are case insensitive 'true' or 'false'.`,
  );
}

function parseProtected(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalid(
    `Invalid value '${text}' for 'protected' filter. Valid values are case sensitive 'true' or 'false'.`,
  );
}

function parseRange(key: string, text: string): RangeFilter {
  const [, column = '', bound] = /^(.*)_(min|max)$/.exec(key) ?? [];
  if (!isOneOf(rangeFilterColumns, column)) throw invalid(`Unable to filter by range on '${column}'.`);
  const value = parseWholeNumber(key, text);
  return bound === 'min' ? { column, min: value } : { column, max: value };
}

/** Adds what one query parameter asks for to the query. */
function addFilter(query: ImageQuery, key: string, value: string): void {
  if (COLLISIONS.has(key)) throw invalid(`Unable to filter by '${key}'.`);
  if (isOneOf(textFilterColumns, key)) {
    const filter = parseTextFilter(key, value);
    if ('prefix' in filter) (query.prefixes ??= []).push({ column: key, ...filter });
    else query.anyOf.push({ column: key, ...filter });
    return;
  }
  if (isOneOf(equalityFilterColumns, key)) {
    query.anyOf.push({ column: key, values: [value] });
    return;
  }
  switch (key) {
    case 'created_at':
    case 'updated_at':
      query.times.push(parseTime(key, value));
      return;
    case 'os_hidden':
      query.osHidden = parseHidden(value);
      return;
    case 'protected':
      query.protected = parseProtected(value);
      return;
    case 'changes-since':
      throw invalid('The "changes-since" filter is no longer available on v2.');
    case 'deleted':
      return;
    case 'count':
      // Any other value is one of a custom property.
      if (value !== 'true') break;
      query.isCounted = true;
      return;
  }
  if (/_(min|max)$/.test(key)) query.ranges.push(parseRange(key, value));
  else query.properties[key] = value;
}

/** Parses the parameters of a list request (spec/api-images.md section 5). Throws REQUEST_INVALID. */
export function parseListQuery(pairs: readonly QueryPair[], limits: PageLimits): ImageQuery {
  const once = new Map<string, string>();
  const tags: string[] = [];
  // Of a repeated filter the last value counts.
  const filters = new Map<string, string>();
  const again = new Map<string, string>();
  for (const [key, value] of pairs) {
    checkStorableText('The query', key);
    checkStorableText('The query', value);
    if (key === 'tag') tags.push(value.trim());
    else if (ONCE.has(key) && !once.has(key)) once.set(key, value);
    else if (ONCE.has(key)) again.set(key, value);
    else if (!SORTING.has(key)) filters.set(key, value);
  }

  const visibility = once.get('visibility');
  const query: ImageQuery = {
    limit: parsePageLimit(once.get('limit'), limits),
    ...parseListSort(pairs),
    anyOf: [],
    ranges: [],
    times: [],
    ...(visibility === undefined ? {} : { visibility: parseVisibility(visibility) }),
    memberStatus: parseMemberStatus(once.get('member_status')),
    osHidden: false,
    tags,
    properties: Object.fromEntries(again),
  };
  const marker = once.get('marker');
  if (marker !== undefined) query.marker = marker;
  for (const [key, value] of filters) addFilter(query, key, value);
  return query;
}
