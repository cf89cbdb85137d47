import { isIPv6 } from 'node:net';
import { NbdError } from './nbd-error.js';
import { MAX_STRING_BYTES } from './protocol.js';

/** Where a server listens. `host` is without the brackets of IPv6; `path` may start with NUL (Linux's abstract names). */
export type NbdEndpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What an NBD URI says. */
export interface NbdAddress {
  readonly endpoint: NbdEndpoint;
  /** Empty: the server's default export. */
  readonly exportName: string;
  /** `null`: in the clear. */
  readonly tls: { readonly hostname: string; readonly verifyPeer: boolean } | null;
}

const DEFAULT_PORT = 10_809;
const MAX_PORT = 65_535;
/** `sun_path` of Linux, with its NUL at the end. */
const MAX_SOCKET_PATH_BYTES = 107;

/** RFC 3986, appendix B. `URL` would take dots out of export names. */
const PARTS = /^([a-z+]+):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?$/is;
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::([0-9]*))?$/i;

const SCHEMES: ReadonlyMap<string, { unix: boolean; tls: boolean }> = new Map([
  ['nbd', { unix: false, tls: false }],
  ['nbds', { unix: false, tls: true }],
  ['nbd+unix', { unix: true, tls: false }],
  ['nbds+unix', { unix: true, tls: true }],
]);

const invalid = (why: string) => new NbdError('NBD_URI_INVALID', `The NBD URI ${why}`);

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`has a percent-encoding in its ${what} that is not UTF-8`);
  }
}

/**
 * Reads `nbd://host[:port]/[export]`, `nbds://…` (TLS), `nbd+unix:///[export]?socket=/path` and `nbds+unix:///…`, as
 * doc/uri.md beside the protocol has them. Of TLS only X.509 certificates are known. Throws `NBD_URI_INVALID`, with a
 * message that does not repeat the URI.
 */
export function parseNbdUri(uri: string): NbdAddress {
  const [, schemeName = '', authority, path = '', query = '', fragment] = PARTS.exec(uri) ?? [];
  const scheme = SCHEMES.get(schemeName.toLowerCase());
  if (scheme === undefined) throw invalid(`must begin with one of ${[...SCHEMES.keys()].join(':, ')}:`);
  if (fragment !== undefined) throw invalid('has a fragment (#), which NBD does not know');
  if (authority === undefined) throw invalid(`lacks // after ${schemeName}:`);

  const parameters = parseParameters(query);
  const endpoint = scheme.unix ? unixEndpoint(authority, parameters) : tcpEndpoint(authority, parameters);
  return {
    endpoint,
    exportName: exportNameOf(path),
    tls: scheme.tls ? tlsOf(endpoint, parameters) : noTls(parameters),
  };
}

const PARAMETERS = ['socket', 'tls-type', 'tls-hostname', 'tls-verify-peer'] as const;
type Parameters = ReadonlyMap<string, string>;

function parseParameters(query: string): Parameters {
  const found = new Map<string, string>();
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [key = '', ...rest] = pair.split('=');
    const name = decode(key, 'query');
    if (!PARAMETERS.some((known) => known === name))
      throw invalid('has a query parameter that is not known here');
    if (found.has(name)) throw invalid(`has ${name} twice`);
    found.set(name, decode(rest.join('='), 'query'));
  }
  return found;
}

function exportNameOf(path: string): string {
  const name = decode(path.replace(/^\//, ''), 'export name');
  if (name.includes('\0')) throw invalid('has a NUL in its export name');
  if (Buffer.byteLength(name) > MAX_STRING_BYTES)
    throw invalid(`has an export name of more than ${MAX_STRING_BYTES} bytes`);
  return name;
}

function tcpEndpoint(authority: string, parameters: Parameters): NbdEndpoint {
  if (parameters.has('socket')) throw invalid('has a socket parameter: write nbd+unix: or nbds+unix:');
  if (authority.includes('@'))
    throw invalid('names a user, which only pre-shared keys need: X.509 alone is known here');
  const [, host = '', port = ''] = AUTHORITY.exec(authority) ?? [];
  if (host === '') throw invalid('names no host, or one that is not valid');
  const bare = host.startsWith('[') ? host.slice(1, -1) : decode(host, 'host');
  if (host.startsWith('[') && !isIPv6(bare)) throw invalid('has brackets around what is not an IPv6 address');
  if (/[\0\s/]/.test(bare)) throw invalid('names a host that is not valid');
  const number = port === '' ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > MAX_PORT) throw invalid('has a port that is not between 1 and 65535');
  return { kind: 'tcp', host: bare, port: number };
}

function unixEndpoint(authority: string, parameters: Parameters): NbdEndpoint {
  if (authority !== '') throw invalid('names a host and a socket; a local socket needs three slashes (///)');
  const path = parameters.get('socket') ?? '';
  if (path === '') throw invalid('lacks its socket parameter');
  if (path.slice(1).includes('\0')) throw invalid('has a NUL inside of the path of its socket');
  if (!path.startsWith('/') && !path.startsWith('\0'))
    throw invalid('has a socket that is not an absolute path');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    throw invalid(`has a socket whose path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  return { kind: 'unix', path };
}

function noTls(parameters: Parameters): null {
  if ([...parameters.keys()].some((name) => name.startsWith('tls-')))
    throw invalid('has parameters of TLS: write nbds: or nbds+unix:');
  return null;
}

function tlsOf(endpoint: NbdEndpoint, parameters: Parameters): NonNullable<NbdAddress['tls']> {
  if ((parameters.get('tls-type') ?? 'x509') !== 'x509') throw invalid('has a tls-type other than x509');
  const verify = parameters.get('tls-verify-peer') ?? '1';
  if (verify !== '0' && verify !== '1') throw invalid('has a tls-verify-peer that is neither 0 nor 1');
  const hostname = parameters.get('tls-hostname') ?? (endpoint.kind === 'tcp' ? endpoint.host : 'localhost');
  if (hostname === '' || hostname.includes('\0')) throw invalid('has a tls-hostname that is not valid');
  return { hostname, verifyPeer: verify === '1' };
}

/** How messages name a server; without what could be secret. */
export function describeEndpoint(endpoint: NbdEndpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path.replace('\0', '@');
  return isIPv6(endpoint.host) ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
