import { describe, expect, it } from '@jest/globals';
import { HeadersAuthenticator } from './headers.authenticator.js';

const authenticate = (headers: Record<string, string>) => new HeadersAuthenticator().authenticate(headers);

describe('HeadersAuthenticator', () => {
  it.each([{}, { 'x-identity-status': 'Invalid' }, { 'x-identity-status': 'confirmed' }])(
    'trusts nothing without a confirmed identity: %j',
    (headers) => {
      expect(authenticate({ ...(headers as Record<string, string>), 'x-roles': 'admin' })).toBeNull();
    },
  );

  it('reads the identity', () => {
    expect(
      authenticate({
        'x-identity-status': 'Confirmed',
        'x-user-id': 'u',
        'x-project-id': 'p',
        'x-tenant-id': 'ignored',
        'x-roles': ' Admin, Member ,',
        'x-service-roles': 'Service, other',
        'openstack-system-scope': 'all',
      }),
    ).toEqual({
      userId: 'u',
      projectId: 'p',
      domainId: null,
      systemScope: 'all',
      roles: ['admin', 'member'],
      serviceRoles: ['Service', 'other'],
    });
  });

  it('falls back to the old names', () => {
    expect(
      authenticate({ 'x-identity-status': 'Confirmed', 'x-tenant-id': 't', 'x-role': 'Reader' }),
    ).toMatchObject({ projectId: 't', roles: ['reader'] });
  });
});
