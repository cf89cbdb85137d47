import type { Config } from '@glimpse/config';
import type { Authenticator, Identity } from './authenticator.js';
import { keystoneChallenge } from './keystone-challenge.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** Makes everybody admin of one project. */
export class NoneAuthenticator implements Authenticator {
  readonly challenge = keystoneChallenge;
  private readonly identity: Identity;

  constructor({ userId, projectId }: Config['authNone']) {
    this.identity = {
      userId,
      projectId,
      domainId: null,
      systemScope: null,
      roles: ['admin', 'member', 'reader'],
      serviceRoles: [],
    };
  }

  authenticate(): Identity {
    return this.identity;
  }
}

/** Refuses a configuration that would hand the images to everybody on the network. */
export function checkReachOfNoAuth(config: Pick<Config, 'auth' | 'authNone' | 'host'>): void {
  if (config.auth !== 'none' || config.authNone.allowRemote || LOOPBACK.test(config.host)) return;
  throw new Error(
    `With auth "none" everybody who reaches ${config.host} would be admin. Listen on 127.0.0.1, choose another ` +
      'GLIMPSE_AUTH, or set GLIMPSE_AUTH_NONE_ALLOW_REMOTE=true if that is what you want.',
  );
}
