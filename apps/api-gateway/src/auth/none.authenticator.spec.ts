import { describe, expect, it } from '@jest/globals';
import { checkReachOfNoAuth } from './none.authenticator.js';

const authNone = { projectId: 'p', userId: 'u', allowRemote: false };

describe('checkReachOfNoAuth', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('lets everybody on this machine in: %s', (host) => {
    expect(() => checkReachOfNoAuth({ auth: 'none', authNone, host })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com'])('refuses to listen on %s', (host) => {
    expect(() => checkReachOfNoAuth({ auth: 'none', authNone, host })).toThrow(
      /GLIMPSE_AUTH_NONE_ALLOW_REMOTE/,
    );
  });

  it('obeys when told so, and asks only for auth none', () => {
    expect(() =>
      checkReachOfNoAuth({ auth: 'none', authNone: { ...authNone, allowRemote: true }, host: '::' }),
    ).not.toThrow();
    expect(() => checkReachOfNoAuth({ auth: 'headers', authNone, host: '::' })).not.toThrow();
  });
});
