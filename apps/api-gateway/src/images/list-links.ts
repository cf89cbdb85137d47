import type { QueryPair } from '../http/query-string.js';

function link(path: string, pairs: readonly QueryPair[]): string {
  const query = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])).toString();
  return query === '' ? path : `${path}?${query}`;
}

/** The links of a page: they repeat the request, repeated keys included; `next` goes on behind `lastId`. */
export function listLinks(
  pairs: readonly QueryPair[],
  lastId: string | undefined,
  path = '/v2/images',
): { first: string; next?: string } {
  const withoutMarker = pairs.filter(([key]) => key !== 'marker');
  return {
    first: link(path, withoutMarker),
    ...(lastId === undefined ? {} : { next: link(path, [...withoutMarker, ['marker', lastId]]) }),
  };
}
