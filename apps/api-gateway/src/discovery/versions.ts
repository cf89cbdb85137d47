/** The part of the configuration that decides which versions exist. */
export interface VersionFeatures {
  readonly isMultiStore: boolean;
}

const OLDEST = ['2.7', '2.6', '2.5', '2.4', '2.3', '2.2', '2.1', '2.0'];
const SINGLE_STORE = ['2.15', '2.9', '2.17', ...OLDEST];
const MULTI_STORE = ['2.15', '2.13', '2.12', '2.11', '2.10', '2.9', '2.8', '2.17', ...OLDEST];
const CURRENT = '2.17';

const versionsOf = ({ isMultiStore }: VersionFeatures) => (isMultiStore ? MULTI_STORE : SINGLE_STORE);

/** The first path segments that lead to the API; all of them to the same handlers. */
export function acceptedLabels(features: VersionFeatures): ReadonlySet<string> {
  return new Set(['v2', ...versionsOf(features).map((version) => `v${version}`)]);
}

/** The versions document, in Glance's order; `baseUrl` without a trailing slash. */
export function versionsDocument(features: VersionFeatures, baseUrl: string) {
  const links = [{ rel: 'self', href: `${baseUrl}/v2/` }];
  return {
    versions: versionsOf(features).map((version) => ({
      id: `v${version}`,
      status: version === CURRENT ? 'CURRENT' : 'SUPPORTED',
      links,
    })),
  };
}
