import type { Config } from '@glimpse/config';
import type { Authenticator } from './authenticator.js';
import { HeadersAuthenticator } from './headers.authenticator.js';
import { NoneAuthenticator } from './none.authenticator.js';

/** The authenticator that the configuration names. */
export function createAuthenticator(config: Pick<Config, 'auth' | 'authNone'>): Authenticator {
  const create = {
    none: () => new NoneAuthenticator(config.authNone),
    headers: () => new HeadersAuthenticator(),
  } satisfies Record<Config['auth'], () => Authenticator>;
  return create[config.auth]();
}
