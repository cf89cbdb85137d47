import { loadConfig } from '@glimpse/config';
import { describe, expect, it } from '@jest/globals';
import { type ClaimOptions, holderOf } from './token-holder.js';

const read = (claims: Record<string, unknown>, options: Partial<ClaimOptions> = {}) =>
  holderOf({ sub: 'ada', ...claims }, { ...loadConfig({}).oidc, ...options });

describe('Who holds a token', () => {
  const mapped = {
    rolesClaims: ['scope', 'realm_access.roles', 'https://example.com/roles'],
    roleMapping: { 'image-admin': ['admin'], 'images:read': ['Reader'], other: ['Auditor', 'x'] },
    defaultRoles: ['guest'],
  };

  it.each([
    ['words between blanks', { scope: 'openid images:read admin' }, ['guest', 'reader']],
    [
      'a list deeper down',
      { realm_access: { roles: ['image-admin'] } },
      ['guest', 'admin', 'member', 'reader'],
    ],
    [
      'a claim whose name is a URL',
      { 'https://example.com/roles': ['other', 7, null] },
      ['guest', 'auditor', 'x'],
    ],
    ['something else than roles', { realm_access: 'image-admin', scope: {} }, ['guest']],
    ['names that every object has', { scope: 'constructor __proto__ toString' }, ['guest']],
  ])('has the roles of %s, as the mapping says', (_where, claims, roles) => {
    expect(read(claims, mapped).roles).toEqual(roles);
  });

  it('has the roles as they are where there is no mapping', () => {
    expect(read({ roles: ['Member', 'other'] }).roles).toEqual(['member', 'reader', 'other']);
  });

  it('has the projects with the prefix', () => {
    const options = { projectClaim: 'groups', projectPrefix: '/projects/' };

    expect(
      read({ groups: ['/admins', '/projects/one', '/projects/', '/projects/two'] }, options).projects,
    ).toEqual(['one', 'two']);
    expect(read({ project_id: 'x'.repeat(256) }).projects).toEqual([]);
  });

  const requiredClaims = ['azp=console', 'email_verified=true', 'acr', 'amr=otp'];
  const whole = { azp: 'console', email_verified: true, acr: '1', amr: ['pwd', 'otp'] };

  it('has what is required', () => {
    expect(read(whole, { requiredClaims }).userId).toBe('ada');
  });

  it.each([
    [{ azp: 'x' }, 'azp=console'],
    [{ email_verified: 'yes' }, 'email_verified=true'],
    [{ acr: null }, 'acr'],
    [{ amr: 'pwd' }, 'amr=otp'],
  ])('is nobody without what is required: %j', (change, missing) => {
    expect(() => read({ ...whole, ...change }, { requiredClaims })).toThrow(
      `The token does not have the claim ${missing}`,
    );
  });
});
