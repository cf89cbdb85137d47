import type { Config } from '@glimpse/config';
import { type ImportRequest, ServiceError } from '@glimpse/contracts';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** What of a request says where its data goes. */
type TargetRequest = Omit<ImportRequest, 'method' | 'body'> & { readonly method: { readonly name: string } };

/** Kinds of stores that nothing is written to. */
const READ_ONLY_TYPES: ReadonlySet<string> = new Set(['http']);

/**
 * The stores that the data of an import goes to, each once (spec/api-images.md section 10.2, rows 9 to 13). `present` are
 * those that have it. An empty answer means that nothing is left to do. Throws.
 */
export function importTargets(
  request: TargetRequest,
  present: readonly string[],
  config: Pick<Config, 'stores' | 'defaultStore' | 'isMultiStore'>,
): string[] {
  if (!config.isMultiStore) {
    if (!request.allStoresMustSucceed)
      throw invalid('All stores must succeed where there is one store only.');
    return request.method.name === 'copy-image'
      ? withoutPresent(request, [config.defaultStore], present)
      : [config.defaultStore];
  }
  const named = namedStores(request, config);
  const unknown = named.find((id) => !Object.hasOwn(config.stores, id));
  if (unknown !== undefined)
    throw new ServiceError(
      'STORE_NOT_CONFIGURED',
      `Store for image_id not found: there is no store "${unknown}"`,
    );
  const readOnly = named.find((id) => READ_ONLY_TYPES.has(config.stores[id]?.type ?? ''));
  if (readOnly !== undefined) throw invalid(`The store "${readOnly}" takes no data.`);
  return request.method.name === 'copy-image' ? withoutPresent(request, named, present) : named;
}

function namedStores(
  { allStores, stores, headerStore, method }: TargetRequest,
  config: Pick<Config, 'stores' | 'defaultStore'>,
): string[] {
  if (allStores) {
    if (stores !== null || headerStore !== null)
      throw invalid('All stores parameter can not be used together with stores or X-Image-Meta-Store');
    return Object.entries(config.stores)
      .filter(([, { type }]) => !READ_ONLY_TYPES.has(type))
      .map(([id]) => id);
  }
  // openstacksdk says the same store in both ways.
  const isSame = stores?.length === 1 && stores[0] === headerStore;
  if (stores !== null && headerStore !== null && !isSame)
    throw invalid('Stores parameter and X-Image-Meta-Store can not be both specified');
  if (stores !== null && (stores.length > 0 || method.name === 'copy-image')) return [...new Set(stores)];
  return [headerStore ?? config.defaultStore];
}

function withoutPresent(
  { allStores }: TargetRequest,
  wanted: readonly string[],
  present: readonly string[],
): string[] {
  const taken = wanted.find((id) => present.includes(id));
  if (taken !== undefined && !allStores) throw invalid(`Image is already present at store "${taken}"`);
  return wanted.filter((id) => !present.includes(id));
}
