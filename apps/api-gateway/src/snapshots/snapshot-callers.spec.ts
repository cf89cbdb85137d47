import type { Config } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import type { Authenticator, Identity } from '../auth/authenticator.js';
import { IdentityRefused } from '../auth/identity-refused.js';
import { SnapshotCallers } from './snapshot-callers.js';
import type { SnapshotMessage } from './snapshot-message.js';

const ofToken: Identity = {
  userId: 'token-user',
  projectId: 'token-project',
  domainId: null,
  systemScope: null,
  roles: ['member'],
  serviceRoles: [],
};

const keystone = (answer: () => Identity | null): Authenticator => ({
  authenticate: async () => answer(),
  challenge: () => '',
  limitsOf: async () => ({ imageCountTotal: 7 }),
});

const aMessage = (more: Partial<SnapshotMessage> = {}): SnapshotMessage => ({
  wish: { action: 'show', requestId: 'r' },
  requestId: 'r',
  stated: {},
  token: undefined,
  replyTo: null,
  kept: { text: '', lost: [] },
  ...more,
});

const callers = (
  trustedPublishers: string[] = [],
  answer: () => Identity | null = () => ofToken,
  auth: Config['auth'] = 'keystone',
) =>
  new SnapshotCallers(keystone(answer), {
    auth,
    authNone: { projectId: 'everybody', userId: 'operator', allowRemote: false },
    snapshots: { trustedPublishers, defaultRoles: ['Member', 'reader'] },
  });

describe('SnapshotCallers', () => {
  it('believes a trusted publisher, with the limits of the project', async () => {
    const message = aMessage({ stated: { projectId: 'p', userId: 'u' } });

    await expect(callers(['nova']).identify(message, 'nova')).resolves.toMatchObject({
      isTrusted: true,
      ctx: { projectId: 'p', userId: 'u', roles: ['member', 'reader'], limits: { imageCountTotal: 7 } },
    });
  });

  it.each([
    ['another user', 'mallory', ['nova']],
    ['nobody in particular', null, ['nova']],
    ['anybody where nobody is trusted', 'nova', []],
  ])('does not believe %s', async (_who, publisher, trusted) => {
    const message = aMessage({ stated: { projectId: 'p' } });

    await expect(callers(trusted).identify(message, publisher)).rejects.toMatchObject({
      code: 'IDENTITY_REFUSED',
    });
  });

  it('puts the token of a message before all else, and that of a context behind the word of the trusted', async () => {
    const trusting = callers(['*']);

    const [own, context, untrusted] = await Promise.all([
      trusting.identify(aMessage({ token: 't' }), null),
      trusting.identify(aMessage({ contextToken: 't', stated: { projectId: 'p' } }), null),
      callers().identify(aMessage({ contextToken: 't' }), 'nova'),
    ]);

    expect(own.ctx.projectId).toBe('token-project');
    expect(context.ctx.projectId).toBe('p');
    expect(untrusted).toMatchObject({ isTrusted: false, ctx: { projectId: 'token-project' } });
  });

  it.each([
    ['a token of another project', aMessage({ token: 't', stated: { projectId: 'p' } }), 'ACTION_FORBIDDEN'],
    ['a token that no header can carry', aMessage({ token: 'a\nb' }), 'IDENTITY_REFUSED'],
    ['no project', aMessage(), 'REQUEST_INVALID'],
  ])('refuses %s', async (_what, message, code) => {
    await expect(callers(['*']).identify(message, null)).rejects.toMatchObject({ code });
  });

  it('tells a refusal from an outage', async () => {
    const refusing = callers([], () => {
      throw new IdentityRefused('It has expired');
    });
    const away = callers([], () => {
      throw new ServiceError('IDENTITY_UNAVAILABLE', 'away');
    });

    await expect(refusing.identify(aMessage({ token: 't' }), null)).rejects.toMatchObject({
      code: 'IDENTITY_REFUSED',
      message: 'It has expired',
    });
    await expect(away.identify(aMessage({ token: 't' }), null)).rejects.toMatchObject({ isRetryable: true });
  });

  it('lets everybody in without authentication, as what they say', async () => {
    const open = callers([], () => null, 'none');

    const [silent, stated] = await Promise.all([
      open.identify(aMessage({ token: 'any' }), null),
      open.identify(aMessage({ stated: { projectId: 'p', userId: 'u', roles: ['reader'] } }), null),
    ]);

    expect(silent.ctx).toMatchObject({
      projectId: 'everybody',
      userId: 'operator',
      roles: ['admin', 'member', 'reader'],
    });
    expect(stated.ctx).toMatchObject({ projectId: 'p', userId: 'u', roles: ['reader'] });
  });
});
