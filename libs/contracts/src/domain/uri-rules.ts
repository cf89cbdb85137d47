import { isIP } from 'node:net';

/** Which URLs may be read for a client (spec/configuration.md, import_filtering_opts). An allow list that is not empty counts alone. */
export interface UriRules {
  readonly allowedSchemes: readonly string[];
  readonly disallowedSchemes: readonly string[];
  /** Names and addresses, compared as they are written. */
  readonly allowedHosts: readonly string[];
  readonly disallowedHosts: readonly string[];
  readonly allowedPorts: readonly number[];
  readonly disallowedPorts: readonly number[];
}

const passes = <T>(value: T, allowed: readonly T[], disallowed: readonly T[]): boolean =>
  allowed.length > 0 ? allowed.includes(value) : !disallowed.includes(value);

/** A name whose last label is a number: an address in decimal, octal or hexadecimal to some, and no name to DNS. */
const NUMERIC = /(?:^|\.)(?:0x[0-9a-f]*|\d+)\.?$/i;

/**
 * The host of a URL in the one way that it is compared and connected to; undefined where it is an address written
 * in a way that not everybody reads alike. `written` is the host as the client wrote it, `parsed` as `URL` has it.
 */
export function normalizeHost(written: string, parsed: string): string | undefined {
  const host = parsed.replace(/^\[|\]$/g, '').toLowerCase();
  const original = written.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) === 6) return host;
  // URL makes an address of 0x7f.1 and 2130706433: only the dotted form is one.
  if (isIP(host) === 4) return original === host ? host : undefined;
  return host === '' || NUMERIC.test(host) ? undefined : host.replace(/\.$/, '');
}

/** The host as it is written in a URL, before anybody made sense of it. */
function writtenHost(uri: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]*)/i.exec(uri)?.[1] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return /^\[[^\]]*\]/.exec(host)?.[0] ?? host.replace(/:\d*$/, '');
}

/** Whether the rules let anything be read by the scheme. */
export const isSchemeAllowed = (scheme: string, rules: UriRules): boolean =>
  passes(scheme, rules.allowedSchemes, rules.disallowedSchemes);

/**
 * Why nothing may be read for a client from the server; undefined where nothing in its name forbids it. The host is as
 * {@link normalizeHost} gives it; the port undefined where it goes without saying.
 */
export function problemWithServer(
  { host, port }: { readonly host: string | undefined; readonly port: number | undefined },
  rules: UriRules,
): string | undefined {
  if (host === undefined) return 'its host is neither a name nor a plain address';
  if (!passes(host, rules.allowedHosts, rules.disallowedHosts)) return 'its host is not allowed';
  if (port !== undefined && !passes(port, rules.allowedPorts, rules.disallowedPorts))
    return 'its port is not allowed';
  return undefined;
}

/** Why the URL must not be read for a client; undefined where nothing in its text forbids it. Never tells the URL. */
export function problemWithUri(uri: string, rules: UriRules): string | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(uri) ? URL.parse(uri) : null;
  // Parsers disagree on these: what one checks is not what another one asks.
  if (url === null || /[\s\\\p{Cc}]/u.test(uri)) return 'it is not a URL with a host';
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'http' && scheme !== 'https') return 'only http and https can be read';
  if (!isSchemeAllowed(scheme, rules)) return 'its scheme is not allowed';
  const host = normalizeHost(writtenHost(uri), url.hostname);
  // As in Glance only a port that is written down is looked at; the others are those of the schemes.
  return problemWithServer({ host, port: url.port === '' ? undefined : Number(url.port) }, rules);
}
