import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import type { Authenticator } from './authenticator.js';
import { HeadersAuthenticator } from './headers.authenticator.js';
import { KeystoneAuthenticator } from './keystone/keystone.authenticator.js';
import { NoneAuthenticator } from './none.authenticator.js';
import { OidcAuthenticator } from './oidc/oidc.authenticator.js';

/** The authenticator that the configuration names. */
export function createAuthenticator(
  config: Pick<Config, 'auth' | 'authNone' | 'keystone' | 'oidc'>,
  logger: Logger,
): Authenticator {
  const create = {
    none: () => new NoneAuthenticator(config.authNone),
    headers: () => new HeadersAuthenticator(),
    keystone: () => KeystoneAuthenticator.create(config, logger),
    oidc: () => OidcAuthenticator.create(config, logger),
  } satisfies Record<Config['auth'], () => Authenticator>;
  return create[config.auth]();
}
