import { loadConfig, type Config } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { StandInKeystone, aTokenDocument } from '@glimpse/testing';
import { afterEach, beforeEach } from '@jest/globals';
import { KeystoneAuthenticator } from './keystone.authenticator.js';

/** The request for which a token is checked where a test does not care. */
export const GET = { method: 'GET', url: '/v2/images', originalUrl: '/v2/images' };

/** A Keystone that knows the token `good`, new for each test of the file that calls this, and who asks it. */
export function keystoneUnderTest() {
  let keystone: StandInKeystone;
  const open: KeystoneAuthenticator[] = [];
  const lines: string[] = [];
  const errors: Error[] = [];
  beforeEach(async () => {
    keystone = await new StandInKeystone().start();
    keystone.tokens.set('good', aTokenDocument());
    lines.length = 0;
    errors.length = 0;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((authenticator) => authenticator.close()));
    await keystone.stop();
  });

  const create = (options: Partial<Config['keystone']> = {}) => {
    const { keystone: defaults } = loadConfig({});
    const logger = createLogger('test', { level: 'trace' }, { write: (line) => void lines.push(line) });
    const authenticator = KeystoneAuthenticator.create(
      {
        keystone: {
          ...defaults,
          authUrl: keystone.url,
          username: 'glimpse',
          password: 'planted-password',
          projectName: 'service',
          httpRequestMaxRetries: 1,
          requestTimeoutMs: 2_000,
          ...options,
        },
      },
      logger,
    );
    open.push(authenticator);
    return (token: string, more: Record<string, string> = {}, request = GET) =>
      authenticator
        .authenticate({ 'x-auth-token': token, ...more }, request)
        .catch((error: Error & { code?: string }) => {
          errors.push(error);
          return error.code ?? error.message;
        });
  };
  const validations = () => keystone.seenAt('GET', '/v3/auth/tokens');
  const logins = () => keystone.seenAt('POST', '/v3/auth/tokens');

  return {
    keystone: () => keystone,
    /** Makes an authenticator; a refusal is answered with its code. */
    create,
    validations,
    logins,
    /** What was logged. */
    lines,
    /** What was thrown. */
    errors,
  };
}
