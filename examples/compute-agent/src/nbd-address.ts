import { isAbsolute } from 'node:path';
import { AgentError } from './agent-error.js';

/** Where QEMU serves the disk. */
export type NbdAddress =
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'inet'; readonly host: string; readonly port: string };

/** Of `host:port` or `[address]:port`. */
export function parseHostAndPort(option: string, text: string): { host: string; port: string } {
  const [, address, name, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = address ?? name;
  if (host !== undefined && port !== undefined && Number(port) > 0 && Number(port) < 65_536)
    return { host, port };
  throw new AgentError('usage', `${option}: ${text} is not host:port`);
}

/** Of `unix:/path`, or what {@link parseHostAndPort} takes. */
export function parseNbdAddress(option: string, text: string): NbdAddress {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : '';
  return isAbsolute(path) ? { type: 'unix', path } : { type: 'inet', ...parseHostAndPort(option, text) };
}

/** What `nbd-server-start` takes. */
export const toSocketAddress = (address: NbdAddress) =>
  address.type === 'unix'
    ? { type: 'unix', data: { path: address.path } }
    : { type: 'inet', data: { host: address.host, port: address.port } };

/** How those who read the disk reach it. */
export interface NbdAccess {
  /** Another host and port than QEMU listens on, e.g. where that is `0.0.0.0`, or behind something that forwards. */
  readonly at?: { readonly host: string; readonly port: string };
  /** The object of QEMU's (`-object tls-creds-x509,id=…`) with its certificate: clients come by TLS only. */
  readonly tlsCredentials?: string;
}

/** The URI of an export there. */
export function nbdUri(address: NbdAddress, exportName: string, access: NbdAccess = {}): string {
  const scheme = access.tlsCredentials === undefined ? 'nbd' : 'nbds';
  if (address.type === 'unix')
    return `${scheme}+unix:///${exportName}?socket=${encodeURIComponent(address.path).replaceAll('%2F', '/')}`;
  const { host, port } = access.at ?? address;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/${exportName}`;
}
