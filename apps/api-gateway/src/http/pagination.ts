import type { Config } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import type { QueryPair } from './query-string.js';

type PageLimits = Pick<Config['limits'], 'pageDefault' | 'pageMax'>;
type SortDirection = 'asc' | 'desc';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** A whole number of a query; one that no variable can hold exactly becomes the nearest that it can. */
export function parseWholeNumber(name: string, text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw invalid(`${name} param must be an integer`);
  const number = Number(text);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(number, Number.MAX_SAFE_INTEGER));
}

/** The `limit` of a list that has no pages; `least` is the smallest that it may be. */
export function parseLimit(text: string, least: number): number {
  const limit = parseWholeNumber('limit', text);
  if (limit < least) throw invalid('limit param must be positive');
  return limit;
}

/** How many a page holds: the `limit` that was asked for, or else the default, and never more than the configured most. */
export function parsePageLimit(text: string | undefined, { pageDefault, pageMax }: PageLimits): number {
  return Math.min(text === undefined ? pageDefault : parseLimit(text, 0), pageMax);
}

/** A `sort_dir`. Throws REQUEST_INVALID for all but `asc` and `desc`. */
export function parseSortDirection(text: string): SortDirection {
  if (text === 'asc' || text === 'desc') return text;
  throw invalid(`Invalid sort direction: ${text}`);
}

function link(path: string, pairs: readonly QueryPair[]): string {
  const query = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])).toString();
  return query === '' ? path : `${path}?${query}`;
}

/** The links of a page: they repeat the request, repeated keys included; `next` goes on behind `last`. */
export function listLinks(
  path: string,
  pairs: readonly QueryPair[],
  last: string | undefined,
): { first: string; next?: string } {
  const withoutMarker = pairs.filter(([key]) => key !== 'marker');
  return {
    first: link(path, withoutMarker),
    ...(last === undefined ? {} : { next: link(path, [...withoutMarker, ['marker', last]]) }),
  };
}
