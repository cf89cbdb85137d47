import { type UriRules, isSchemeAllowed } from '../domain/uri-rules.js';

/** The schemes of URIs that disks of servers are read by: `nbds` is NBD with TLS, `+unix` over a local socket. */
export const snapshotSchemes: readonly string[] = [
  'file',
  'http',
  'https',
  'nbd',
  'nbds',
  'nbd+unix',
  'nbds+unix',
];

/**
 * Why no disk is read from such a URI, by its scheme alone; undefined where one may be. Tells nothing of the URI but the
 * name of a scheme that is known here.
 */
export function problemWithSnapshotScheme(uri: string, rules: UriRules): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(uri)?.[0].toLowerCase();
  if (scheme === undefined) return 'source.uri is no URI';
  if (scheme === 'rbd') return 'Disks are not read from RBD by this version: no rbd driver is configured';
  if (!snapshotSchemes.includes(scheme))
    return `The scheme of source.uri is none of ${snapshotSchemes.join(', ')}`;
  return isSchemeAllowed(scheme, rules) ? undefined : `Disks are not read by ${scheme} here`;
}
