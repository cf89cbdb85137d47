import { aTokenDocument } from '@glimpse/testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { GET, keystoneUnderTest } from './keystone-under-test.conformance.js';

describe('KeystoneAuthenticator', () => {
  const { create, keystone, validations } = keystoneUnderTest();

  describe('with a service token', () => {
    beforeEach(() => {
      keystone().tokens.set('nova', aTokenDocument(['Service', 'service'], { user: { id: 'nova' } }));
      keystone().tokens.set('stranger', aTokenDocument(['member']));
    });

    it('knows both', async () => {
      expect(await create()('good', { 'x-service-token': 'nova' })).toMatchObject({
        userId: 'u',
        roles: ['member', 'reader'],
        serviceUserId: 'nova',
        serviceProjectId: 'p',
        serviceProjectDomainId: 'default',
        serviceRoles: ['Service', 'service'],
      });
    });

    it.each(['bad', 'stranger'])('takes no notice of one that is no service: %s', async (service) => {
      const identity = await create()('good', { 'x-service-token': service });

      expect(identity).toMatchObject({ userId: 'u', serviceRoles: [] });
      expect(identity).not.toHaveProperty('serviceUserId');
    });

    it('asks for an expired token only beside that of a service', async () => {
      const authenticate = create({ serviceTokenRolesRequired: false });

      await authenticate('good', { 'x-service-token': 'nova' });
      await authenticate('other', { 'x-service-token': 'stranger' });

      const asked = (token: string) =>
        validations().find(({ headers }) => headers['x-subject-token'] === token)?.url;
      expect(asked('good')).toContain('allow_expired=1');
      expect(asked('other')).not.toContain('allow_expired');
      expect(asked('nova')).not.toContain('allow_expired');
    });

    it('never asks for one when told so', async () => {
      await create({ allowExpired: false })('good', { 'x-service-token': 'nova' });

      expect(validations().filter(({ url }) => url.includes('allow_expired'))).toEqual([]);
    });

    it('is no way round a Keystone that is away', async () => {
      const authenticate = create();
      await authenticate('good');
      await keystone().stop();

      expect(await authenticate('good', { 'x-service-token': 'nova' })).toBe('IDENTITY_UNAVAILABLE');
    });
  });

  describe('with access rules', () => {
    beforeEach(() => {
      const access_rules = [{ id: '1', service: 'image', method: 'GET', path: '/v2/images' }];
      const application_credential = { id: 'c', name: 'c', restricted: true, access_rules };
      keystone().tokens.set('bound', aTokenDocument(['member'], { application_credential }));
      keystone().tokens.set('nova', aTokenDocument(['service']));
    });
    const other = { ...GET, originalUrl: '/v2/images/1' };

    it('allows what they say, and no more', async () => {
      const authenticate = create();

      expect(await authenticate('bound')).toMatchObject({ userId: 'u' });
      expect(await authenticate('bound', {}, other)).toBeNull();
    });

    it('leaves a service free, and only a real one', async () => {
      const authenticate = create();

      expect(await authenticate('bound', { 'x-service-token': 'nova' }, other)).toMatchObject({
        userId: 'u',
      });
      expect(await authenticate('bound', { 'x-service-token': 'bad' }, other)).toBeNull();
    });
  });
});
