/** The part of the configuration that decides which versions exist. */
export interface VersionFeatures {
  readonly isMultiStore: boolean;
  readonly cache: { readonly dir?: string | undefined };
}

const OLDEST = ['2.7', '2.6', '2.5', '2.4', '2.3', '2.2', '2.1', '2.0'];
const MULTI_STORE = ['2.13', '2.12', '2.11', '2.10', '2.9', '2.8'];
const SINGLE_STORE = ['2.9'];

/** The version that is current, and all of them in Glance's order. */
function versionsOf({ isMultiStore, cache }: VersionFeatures): { current: string; all: string[] } {
  const ofStores = isMultiStore ? MULTI_STORE : SINGLE_STORE;
  return cache.dir === undefined
    ? { current: '2.17', all: ['2.15', ...ofStores, '2.17', ...OLDEST] }
    : { current: '2.18', all: ['2.18', '2.17', '2.16', '2.15', '2.14', ...ofStores, ...OLDEST] };
}

/** The first path segments that lead to the API; all of them to the same handlers. */
export function acceptedLabels(features: VersionFeatures): ReadonlySet<string> {
  return new Set(['v2', ...versionsOf(features).all.map((version) => `v${version}`)]);
}

/** The versions document, in Glance's order; `baseUrl` without a trailing slash. */
export function versionsDocument(features: VersionFeatures, baseUrl: string) {
  const links = [{ rel: 'self', href: `${baseUrl}/v2/` }];
  const { current, all } = versionsOf(features);
  return {
    versions: all.map((version) => ({
      id: `v${version}`,
      status: version === current ? 'CURRENT' : 'SUPPORTED',
      links,
    })),
  };
}
