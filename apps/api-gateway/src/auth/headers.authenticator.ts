import type { IncomingHttpHeaders } from 'node:http';
import type { Authenticator, Identity } from './authenticator.js';
import { keystoneChallenge } from './keystone-challenge.js';
import type { RemoteService, ServicePlace } from './remote-service.js';
import { findInCatalogHeader } from './service-catalog-header.js';

function one(headers: IncomingHttpHeaders, ...names: string[]): string | null {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function list(headers: IncomingHttpHeaders, ...names: string[]): string[] {
  return (one(headers, ...names) ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Trusts the identity headers of a proxy in front, which strips those that clients send (keystonemiddleware does). */
export class HeadersAuthenticator implements Authenticator {
  readonly challenge = keystoneChallenge;

  authenticate(headers: IncomingHttpHeaders): Identity | null {
    if (headers['x-identity-status'] !== 'Confirmed') return null;
    return {
      userId: one(headers, 'x-user-id'),
      projectId: one(headers, 'x-project-id', 'x-tenant-id'),
      domainId: one(headers, 'x-domain-id'),
      systemScope: one(headers, 'openstack-system-scope'),
      roles: list(headers, 'x-roles', 'x-role').map((role) => role.toLowerCase()),
      serviceRoles: list(headers, 'x-service-roles'),
    };
  }

  /** The proxy passes the token and, where it is told to (`include_service_catalog`), the catalogue on. */
  findImageService(headers: IncomingHttpHeaders, place: ServicePlace): Promise<RemoteService | undefined> {
    const token = one(headers, 'x-auth-token');
    const url = findInCatalogHeader(headers['x-service-catalog'], place);
    return Promise.resolve(token === null || url === undefined ? undefined : { url, token });
  }
}
