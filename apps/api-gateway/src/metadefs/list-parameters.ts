import type { Config } from '@glimpse/config';
import {
  type MetadefNamespaceQuery,
  type MetadefTagQuery,
  MetadefVisibility,
  ServiceError,
  metadefNamespaceSortKeys,
  metadefTagSortKeys,
} from '@glimpse/contracts';
import { parseLimit, parsePageLimit, parseSortDirection } from '../http/pagination.js';
import type { QueryPair } from '../http/query-string.js';
import { checkStorableText } from '../http/text.js';

type Parameters = ReadonlyMap<string, string>;

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

function parseSortKey<K extends string>(parameters: Parameters, keys: readonly K[], usual: K): K {
  const text = parameters.get('sort_key');
  if (text === undefined) return usual;
  const key = keys.find((one) => one === text);
  if (key === undefined) throw invalid(`Invalid sort_key '${text}': it is one of ${keys.join(', ')}.`);
  return key;
}

const sortDirectionOf = (parameters: Parameters) => parseSortDirection(parameters.get('sort_dir') ?? 'desc');

function parseVisibility(text: string): MetadefVisibility {
  const visibility = MetadefVisibility.safeParse(text);
  if (visibility.success) return visibility.data;
  throw invalid(`Invalid visibility value: ${text}`);
}

/** The list of namespaces: spec/api-metadefs.md 1.1. Keys that it does not know are ignored. */
export function parseNamespaceList(
  pairs: readonly QueryPair[],
  limits: Pick<Config['limits'], 'pageDefault' | 'pageMax'>,
): MetadefNamespaceQuery {
  const parameters: Parameters = new Map(pairs);
  const visibility = parameters.get('visibility');
  const marker = parameters.get('marker');
  const resourceTypes = parameters.get('resource_types') ?? '';
  checkStorableText('The query', resourceTypes);
  const limit = parsePageLimit(parameters.get('limit'), limits);
  return {
    // Of no visibility there is no namespace.
    limit: visibility === '' ? 0 : limit,
    ...(marker === undefined ? {} : { marker }),
    sortKey: parseSortKey(parameters, metadefNamespaceSortKeys, 'created_at'),
    sortDirection: sortDirectionOf(parameters),
    ...(visibility === undefined || visibility === '' ? {} : { visibility: parseVisibility(visibility) }),
    ...(resourceTypes === '' ? {} : { resourceTypes: resourceTypes.split(',') }),
  };
}

/** The list of tags: spec/api-metadefs.md 1.5. */
export function parseTagList(pairs: readonly QueryPair[]): MetadefTagQuery {
  const parameters: Parameters = new Map(pairs);
  const limit = parameters.get('limit');
  const marker = parameters.get('marker');
  return {
    ...(limit === undefined ? {} : { limit: parseLimit(limit, 1) }),
    ...(marker === undefined ? {} : { marker }),
    sortKey: parseSortKey(parameters, metadefTagSortKeys, 'created_at'),
    sortDirection: sortDirectionOf(parameters),
  };
}

/** The list of objects: what it looks at is checked, although it always answers with all of them. */
export function checkObjectList(pairs: readonly QueryPair[]): void {
  const parameters: Parameters = new Map(pairs);
  const limit = parameters.get('limit');
  const visibility = parameters.get('visibility');
  if (limit !== undefined) parseLimit(limit, 1);
  if (visibility !== undefined) parseVisibility(visibility);
  sortDirectionOf(parameters);
}

/** The resource type whose names are wanted, where one is named. */
export function resourceTypeOf(pairs: readonly QueryPair[]): string | undefined {
  return new Map(pairs).get('resource_type');
}
