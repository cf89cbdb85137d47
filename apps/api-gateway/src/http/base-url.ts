import type { IncomingMessage } from 'node:http';

/** Scheme and host as the client sees them, without a trailing slash; a proxy says that it ended TLS. */
export function baseUrlOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const host = headers.host ?? `${socket.localAddress}:${socket.localPort}`;
  return `${scheme}://${host}`;
}
