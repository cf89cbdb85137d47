import { ServiceError } from '@glimpse/contracts';
import type { QueryPair } from '../http/query-string.js';

/** The stores that `prefer` names. Throws where there is only one store, or none of that name. */
export function parsePrefer(
  pairs: readonly QueryPair[],
  stores: { isMultiStore: boolean; ids: readonly string[] },
): string[] {
  const [, value = ''] = pairs.findLast(([key]) => key === 'prefer') ?? [];
  if (value === '') return [];
  if (!stores.isMultiStore)
    throw new ServiceError('REQUEST_INVALID', "'prefer' needs several stores, and this service has one.");
  const ids = value.split(',').map((id) => id.trim());
  const unknown = ids.find((id) => !stores.ids.includes(id));
  if (unknown !== undefined) throw new ServiceError('STORE_UNKNOWN', `There is no store "${unknown}".`);
  return ids;
}
