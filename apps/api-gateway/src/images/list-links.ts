import type { QueryPair } from '../http/query-string.js';

const PATH = '/v2/images';

function link(pairs: readonly QueryPair[]): string {
  const query = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])).toString();
  return query === '' ? PATH : `${PATH}?${query}`;
}

/** The links of a page: they repeat the request, repeated keys included; `next` goes on behind `lastId`. */
export function listLinks(
  pairs: readonly QueryPair[],
  lastId: string | undefined,
): { first: string; next?: string } {
  const withoutMarker = pairs.filter(([key]) => key !== 'marker');
  return {
    first: link(withoutMarker),
    ...(lastId === undefined ? {} : { next: link([...withoutMarker, ['marker', lastId]]) }),
  };
}
