import { type ImageQuery, ServiceError, SortKey } from '@glimpse/contracts';
import { parseSortDirection } from '../http/pagination.js';
import type { QueryPair } from '../http/query-string.js';

type Direction = 'asc' | 'desc';
export type ListSort = Pick<ImageQuery, 'sort' | 'tieDirection'>;

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

function parseKey(text: string): SortKey {
  const key = SortKey.safeParse(text.trim());
  if (!key.success) throw invalid(`Invalid sort key: ${text}`);
  return key.data;
}

const parseDirection = (text: string): Direction => parseSortDirection(text.trim());

function combine(keys: SortKey[], directions: Direction[]): ListSort {
  const [single] = directions;
  const shared = directions.length === 1 && single !== undefined ? single : 'desc';
  return {
    sort: keys.map((key, at) => ({ key, direction: directions.length > 1 ? directions[at]! : shared })),
    tieDirection: shared,
  };
}

function parseNewSyntax(text: string): ListSort {
  const parts = text.trim().split(',');
  const keys: SortKey[] = [];
  const directions: Direction[] = [];
  for (const part of parts) {
    const colon = part.indexOf(':');
    const direction = colon === -1 ? '' : part.slice(colon + 1);
    keys.push(parseKey(colon === -1 ? part : part.slice(0, colon)));
    directions.push(direction === '' ? 'desc' : parseDirection(direction));
  }
  return combine(keys, directions);
}

/** The order that `sort`, or else `sort_key` and `sort_dir`, ask for; newest first by default. */
export function parseListSort(pairs: readonly QueryPair[]): ListSort {
  const all = (key: string) => pairs.filter(([name]) => name === key).map(([, value]) => value);
  const keys = all('sort_key');
  const directions = all('sort_dir').map(parseDirection);
  const sort = all('sort')[0];
  if (sort !== undefined) {
    if (keys.length > 0 || directions.length > 0)
      throw invalid('Old and new sorting syntax cannot be combined');
    return parseNewSyntax(sort);
  }
  const sortKeys = keys.map(parseKey);
  if (directions.length > 1 && directions.length !== sortKeys.length)
    throw invalid('Number of sort dirs does not match the number of sort keys');
  return combine(sortKeys.length === 0 ? ['created_at'] : sortKeys, directions);
}
