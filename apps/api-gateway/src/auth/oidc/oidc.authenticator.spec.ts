import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { OidcIssuer, type TokenOptions } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type CryptoKey,
  SignJWT,
  UnsecuredJWT,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
} from 'jose';
import type { KeyFinder } from './issuer-keys.js';
import { IdentityRefused } from '../identity-refused.js';
import { OidcAuthenticator } from './oidc.authenticator.js';
import { TokenVerifier } from './token-verifier.js';

const logger = createLogger('test', { level: 'silent' });
const claims = { sub: 'ada', project_id: 'engine', roles: ['member'] };

describe('OidcAuthenticator', () => {
  let issuer: OidcIssuer;
  const open: OidcAuthenticator[] = [];
  beforeEach(async () => {
    issuer = await OidcIssuer.start();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((authenticator) => authenticator.close()));
    await issuer.close();
  });

  const create = (options: Partial<Config['oidc']> = {}) => {
    const { oidc } = loadConfig({});
    const authenticator = OidcAuthenticator.create(
      { oidc: { ...oidc, issuer: issuer.url, audience: ['glimpse'], timeoutMs: 2_000, ...options } },
      logger,
    );
    open.push(authenticator);
    return authenticator;
  };
  const bearer = (token: string, more = {}) => ({ authorization: `Bearer ${token}`, ...more });
  const outcome = (authenticator: OidcAuthenticator, token: string, more = {}) =>
    authenticator.authenticate(bearer(token, more)).then(
      (identity) => identity,
      (error: Error & { code?: string }) => error.code ?? error.message,
    );

  it('knows who holds a token', async () => {
    const token = await issuer.token({ ...claims, preferred_username: 'Ada Lovelace' });

    await expect(create().authenticate(bearer(token))).resolves.toEqual({
      userId: 'ada',
      userName: 'Ada Lovelace',
      projectId: 'engine',
      domainId: null,
      systemScope: null,
      roles: ['member', 'reader'],
      serviceRoles: [],
    });
  });

  it.each(['x-auth-token', 'x-storage-token'])(
    'takes the token of %s, where OpenStack has it',
    async (name) => {
      const token = await issuer.token(claims);

      await expect(create().authenticate({ [name]: ` ${token} ` })).resolves.toMatchObject({ userId: 'ada' });
    },
  );

  it.each([{}, { authorization: 'Basic YTpi' }, { 'x-auth-token': ' ' }])(
    'has no identity for %j',
    async (headers) => {
      await expect(create().authenticate(headers)).resolves.toBeNull();
    },
  );

  it.each<[string, Record<string, unknown>, TokenOptions, string]>([
    ['another audience', { aud: 'other' }, {}, 'The token is not for this service'],
    ['no audience', { aud: undefined }, {}, 'The token is not for this service'],
    ['another issuer', { iss: 'https://evil.example.com' }, {}, 'The token is of another issuer'],
    ['an end that is past', {}, { expiresIn: -31 }, 'The token has expired'],
    ['no end', { exp: undefined }, {}, 'The token does not have a proper claim exp'],
    ['a beginning to come', {}, { validFrom: 31 }, 'The token is not valid yet'],
    ['no user', { sub: undefined }, {}, 'The token does not name its user in sub'],
    ['a user that is no text', { sub: 7 }, {}, 'The token does not name its user in sub'],
    ['no project', { project_id: undefined }, {}, 'The token names no project'],
  ])('refuses a token with %s', async (_what, change, options, reason) => {
    const token = await issuer.token({ ...claims, ...change }, options);

    await expect(outcome(create(), token)).resolves.toBe(reason);
  });

  it.each([
    ['has just expired', { expiresIn: -20 }],
    ['is valid in a moment', { validFrom: 20 }],
  ])("lets the issuer's clock differ: a token that %s", async (_what, options) => {
    await expect(outcome(create(), await issuer.token(claims, options))).resolves.toMatchObject({
      userId: 'ada',
    });
  });

  it('refuses a token without a signature', async () => {
    const token = new UnsecuredJWT({ ...claims, iss: issuer.url, aud: 'glimpse' })
      .setExpirationTime('5m')
      .encode();

    await expect(outcome(create(), token)).resolves.toMatch(/algorithm|malformed/);
  });

  it('refuses a token whose secret is the public key', async () => {
    const publicKey = await importJWK(issuer.key.published, 'RS256', { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error('An RSA key is no secret');
    const secrets = [await exportSPKI(publicKey), JSON.stringify(issuer.key.published)];

    for (const secret of secrets) {
      const signedBy = { kid: issuer.key.kid, alg: 'HS256', key: new TextEncoder().encode(secret) };
      const token = await issuer.token(claims, { signedBy });
      await expect(outcome(create(), token)).resolves.toMatch(/algorithm/);
    }
  });

  it('refuses a token that somebody else signed in the name of a key of the issuer', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await issuer.token(claims, { signedBy: { ...issuer.key, key: privateKey } });

    await expect(outcome(create(), token)).resolves.toBe("The token's signature is wrong");
  });

  it('refuses a token with claims that were changed', async () => {
    const [header, payload, signature] = (await issuer.token(claims)).split('.');
    const changed = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...changed, roles: ['admin'] })).toString('base64url');

    await expect(outcome(create(), `${header}.${forged}.${signature}`)).resolves.toBe(
      "The token's signature is wrong",
    );
  });

  it.each(['', 'a', 'a.b', 'a.b.c', '..', '{}.{}.{}', 'e30.e30.', 'a.b.c.d.e'])(
    'refuses nonsense: %p',
    async (token) => {
      const answer = await create()
        .authenticate({ 'x-auth-token': token })
        .catch((error: Error) => error.name);

      expect([null, 'IdentityRefused']).toContain(answer);
    },
  );

  it('ignores keys that a token brings along', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const token = await new SignJWT({ ...claims, iss: issuer.url, aud: 'glimpse' })
      .setProtectedHeader({ alg: 'RS256', jwk, jku: 'http://127.0.0.1:1/keys' })
      .setExpirationTime('5m')
      .sign(privateKey);

    await expect(outcome(create(), token)).resolves.toBe("The token's signature is wrong");
  });

  it('takes every key of an issuer that names none in its tokens', async () => {
    await issuer.rotate();
    const token = await new SignJWT({ ...claims, iss: issuer.url, aud: 'glimpse' })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('5m')
      .sign(issuer.key.key);

    await expect(outcome(create(), token)).resolves.toMatchObject({ userId: 'ada' });
  });

  it.each(['PS256', 'ES256', 'EdDSA'])('takes %s', async (alg) => {
    await issuer.rotate({ alg });

    await expect(outcome(create(), await issuer.token(claims))).resolves.toMatchObject({ userId: 'ada' });
  });

  it('takes only the algorithms it is told to', async () => {
    await expect(outcome(create({ algorithms: ['ES256'] }), await issuer.token(claims))).resolves.toMatch(
      /algorithm/,
    );
  });

  describe('when the keys change', () => {
    it('fetches them for a token with a new one, and trusts withdrawn ones no more', async () => {
      const authenticator = create({ keysCooldownSeconds: 0, tokenCacheSeconds: 0 });
      const old = issuer.key;
      await outcome(authenticator, await issuer.token(claims));

      await issuer.rotate({ withdraw: true });

      await expect(outcome(authenticator, await issuer.token(claims))).resolves.toMatchObject({
        userId: 'ada',
      });
      await expect(outcome(authenticator, await issuer.token(claims, { signedBy: old }))).resolves.toBe(
        'The token is signed with a key that the issuer does not have',
      );
    });

    it('is not made to fetch them by a flood of unknown ones', async () => {
      const authenticator = create();
      await outcome(authenticator, await issuer.token(claims));
      const flood = Array.from({ length: 50 }, (_, n) =>
        issuer.token(claims, { signedBy: { ...issuer.key, kid: `unknown-${n}` } }),
      );

      const answers = await Promise.all(
        (await Promise.all(flood)).map((token) => outcome(authenticator, token)),
      );

      expect(new Set(answers)).toEqual(
        new Set(['The token is signed with a key that the issuer does not have']),
      );
      expect(issuer.keyRequests).toBe(1);
    });

    it('fetches them once for many tokens at the start', async () => {
      const authenticator = create();
      const token = await issuer.token(claims);

      await Promise.all(Array.from({ length: 20 }, () => outcome(authenticator, token)));

      expect(issuer.keyRequests).toBe(1);
    });
  });

  describe('when the issuer is away', () => {
    it('says so, and recovers', async () => {
      issuer.broken = { status: 503 };
      const authenticator = create({ keysCooldownSeconds: 0 });
      const token = await issuer.token(claims);

      await expect(outcome(authenticator, token)).resolves.toBe('IDENTITY_UNAVAILABLE');
      issuer.broken = null;
      await expect(outcome(authenticator, token)).resolves.toMatchObject({ userId: 'ada' });
    });

    it('goes on with the keys it has, however old they are', async () => {
      const authenticator = create({ tokenCacheSeconds: 0, keysMaxAgeSeconds: 0, keysCooldownSeconds: 0 });
      await outcome(authenticator, await issuer.token(claims));
      issuer.broken = { status: 503 };

      const token = await issuer.token({ ...claims, sub: 'bob' });

      await expect(outcome(authenticator, token)).resolves.toMatchObject({ userId: 'bob' });
      await expect(outcome(authenticator, token)).resolves.toMatchObject({ userId: 'bob' });
    });

    it('can not tell whether a key is new', async () => {
      const authenticator = create({ keysCooldownSeconds: 0 });
      await outcome(authenticator, await issuer.token(claims));
      await issuer.rotate();
      issuer.broken = { status: 503 };

      await expect(outcome(authenticator, await issuer.token(claims))).resolves.toBe('IDENTITY_UNAVAILABLE');
    });

    it.each([
      ['is of another issuer', { issuer: 'https://other.example.com' }],
      ['names no keys', { jwks_uri: undefined }],
      ['names a file', { jwks_uri: 'file:///etc/passwd' }],
    ])('does not trust a discovery document that %s', async (_what, discovery) => {
      issuer.discovery = discovery;

      await expect(outcome(create(), await issuer.token(claims))).resolves.toBe('IDENTITY_UNAVAILABLE');
    });

    it('does not go where a redirect leads', async () => {
      const token = await issuer.token(claims);
      issuer.broken = { status: 302, headers: { location: 'http://127.0.0.1:1/' } };

      await expect(outcome(create(), token)).resolves.toBe('IDENTITY_UNAVAILABLE');
    });
  });

  describe('reads from the claims', () => {
    it('the projects, of which the caller chooses one', async () => {
      const authenticator = create({ projectClaim: 'groups', projectPrefix: '/projects/' });
      const token = await issuer.token({ sub: 'a', groups: ['/admins', '/projects/one', '/projects/two'] });

      await expect(outcome(authenticator, token)).resolves.toMatchObject({ projectId: 'one' });
      await expect(outcome(authenticator, token, { 'x-project-id': 'two' })).resolves.toMatchObject({
        projectId: 'two',
      });
      await expect(outcome(authenticator, token, { 'x-project-id': 'three' })).resolves.toBe(
        'ACTION_FORBIDDEN',
      );
    });

    it('no project where none is needed', async () => {
      const token = await issuer.token({ sub: 'a' });

      await expect(outcome(create({ projectRequired: false }), token)).resolves.toMatchObject({
        projectId: null,
      });
    });

    it('the domain', async () => {
      const token = await issuer.token({ ...claims, org: { id: 'acme' } });

      await expect(outcome(create({ domainClaim: 'org.id' }), token)).resolves.toMatchObject({
        userDomainId: 'acme',
        projectDomainId: 'acme',
      });
    });
  });

  it('checks a token again when its time in the cache, or its own, is over', async () => {
    let nowMs = Date.now();
    const find = jest.fn<KeyFinder>(() => importJWK(issuer.key.published, 'RS256') as Promise<CryptoKey>);
    const { oidc } = loadConfig({});
    const options = { ...oidc, issuer: issuer.url, audience: ['glimpse'], tokenCacheSeconds: 60 };
    const verifier = new TokenVerifier(options, find, () => nowMs);
    const token = await issuer.token(claims, { expiresIn: 100 });

    await verifier.verify(token);
    await verifier.verify(token);
    expect(find).toHaveBeenCalledTimes(1);
    nowMs += 61_000;
    await verifier.verify(token);
    expect(find).toHaveBeenCalledTimes(2);
    nowMs += 59_000 + 31_000;
    await expect(verifier.verify(token)).rejects.toThrow('The token has expired');
  });

  it('trusts the certificates of the file it is given, and no others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-oidc-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=issuer', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'ignore',
      },
    );
    const secure = await OidcIssuer.start({
      cert: readFileSync(cert, 'utf8'),
      key: readFileSync(key, 'utf8'),
    });
    const token = await secure.token(claims);

    const answers = [
      await outcome(create({ issuer: secure.url, caFile: cert }), token),
      await outcome(create({ issuer: secure.url }), token),
    ];

    await secure.close();
    rmSync(folder, { recursive: true });
    expect(answers).toEqual([expect.objectContaining({ userId: 'ada' }), 'IDENTITY_UNAVAILABLE']);
  });

  it('knows the service that calls for a user, if its token is valid', async () => {
    const authenticator = create();
    const user = await issuer.token(claims);
    const service = await issuer.token({ sub: 'nova', project_id: 'services', roles: ['service'] });
    const expired = await issuer.token({ sub: 'nova', roles: ['service'] }, { expiresIn: -60 });

    await expect(outcome(authenticator, user, { 'x-service-token': service })).resolves.toMatchObject({
      userId: 'ada',
      serviceUserId: 'nova',
      serviceProjectId: 'services',
      serviceRoles: ['service'],
    });
    await expect(outcome(authenticator, user, { 'x-service-token': expired })).resolves.toMatchObject({
      serviceRoles: [],
    });
  });

  it('tells why in the challenge, as RFC 6750 says', async () => {
    const authenticator = create();
    const token = await issuer.token(claims, { expiresIn: -60 });
    const refusal = await authenticator.authenticate(bearer(token)).catch((error: unknown) => error);
    if (!(refusal instanceof IdentityRefused)) throw new Error('It was not refused');

    expect(authenticator.challenge('http://here')).toBe('Bearer realm="glimpse"');
    expect(authenticator.challenge('http://here', refusal)).toBe(
      'Bearer realm="glimpse", error="invalid_token", error_description="The token has expired"',
    );
  });
});
