import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { renderMetrics } from '@glimpse/observability';
import { StandInKeystone, aTokenDocument, waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { keystoneUnderTest } from './keystone-under-test.conformance.js';

describe('KeystoneAuthenticator', () => {
  const { create, errors, keystone, lines, logins, validations } = keystoneUnderTest();

  it('knows who holds a token', async () => {
    keystone().tokens.set('good', aTokenDocument(['Member', 'reader'], { is_admin_project: false }));

    expect(await create()('good')).toEqual({
      userId: 'u',
      userName: 'ursula',
      userDomainId: 'default',
      projectId: 'p',
      projectDomainId: 'default',
      domainId: null,
      systemScope: null,
      roles: ['member', 'reader'],
      serviceRoles: [],
      isAdminProject: false,
    });
  });

  it.each([
    ['a domain', { project: undefined, domain: { id: 'd', name: 'D' } }, { domainId: 'd', projectId: null }],
    ['the system', { project: undefined, system: { all: true } }, { systemScope: 'all', projectId: null }],
    ['nothing', { project: undefined, roles: undefined }, { projectId: null, domainId: null, roles: [] }],
  ])('knows a token for %s', async (_, document, identity) => {
    keystone().tokens.set('good', aTokenDocument(['reader'], document));

    expect(await create()('good')).toMatchObject(identity);
  });

  it('trusts no token that Keystone does not know, and no header', async () => {
    const headers = { 'x-identity-status': 'Confirmed', 'x-roles': 'admin', 'x-project-id': 'other' };
    const authenticate = create();

    expect(await authenticate('bad', headers)).toBeNull();
    expect(await authenticate('', headers)).toBeNull();
    expect(await authenticate('good', headers)).toMatchObject({
      projectId: 'p',
      roles: ['member', 'reader'],
    });
  });

  it('takes X-Storage-Token where there is no X-Auth-Token, and cuts blanks off', async () => {
    expect(await create()('  ', { 'x-storage-token': ' good ' })).toMatchObject({ userId: 'u' });
  });

  it('asks with the headers that Keystone wants, without the catalogue', async () => {
    await create()('good');

    const [request] = validations();
    expect(request?.url).toBe('/v3/auth/tokens?nocatalog');
    expect(request?.headers).toMatchObject({
      'x-subject-token': 'good',
      'openstack-identity-access-rules': '1',
    });
    expect(keystone().logins).toContain(request?.headers['x-auth-token']);
  });

  it.each([
    [
      'a password',
      {},
      {
        identity: {
          methods: ['password'],
          password: { user: { name: 'glimpse', domain: { id: 'default' }, password: 'planted-password' } },
        },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    ],
    [
      'ids and names of domains',
      { userId: 'U', projectDomainName: 'Cloud', systemScope: undefined },
      {
        identity: { methods: ['password'], password: { user: { id: 'U', password: 'planted-password' } } },
        scope: { project: { name: 'service', domain: { name: 'Cloud' } } },
      },
    ],
    [
      'an application credential',
      { applicationCredentialId: 'c', applicationCredentialSecret: 's' },
      { identity: { methods: ['application_credential'], application_credential: { id: 'c', secret: 's' } } },
    ],
  ])('logs in with %s', async (_, options, auth) => {
    await create(options)('good');

    expect(JSON.parse(logins()[0]?.body ?? '')).toEqual({ auth });
  });

  it('logs in once, whoever comes, and again when its token is about to end', async () => {
    keystone().loginTtlMs = 400;
    const authenticate = create({ cacheTtlMs: 0 });
    await Promise.all(Array.from({ length: 20 }, () => authenticate('good')));
    expect(logins()).toHaveLength(1);

    await waitFor('a new login', async () => (await authenticate('good')) !== null && logins().length > 1);

    expect(validations().filter(({ headers }) => headers['x-auth-token'] === undefined)).toEqual([]);
  });

  it('logs in again when Keystone does not know its token any more', async () => {
    const authenticate = create({ cacheTtlMs: 0 });
    await authenticate('good');
    keystone().logins.clear();

    expect(await authenticate('good')).toMatchObject({ userId: 'u' });
    expect(logins()).toHaveLength(2);
  });

  it('lets nobody in, and does not knock again at once, when its own password is wrong', async () => {
    keystone().intercept = ({ method }) => (method === 'POST' ? { status: 401 } : undefined);
    const authenticate = create();

    expect(await Promise.all([authenticate('good'), authenticate('other')])).toEqual([
      'IDENTITY_UNAVAILABLE',
      'IDENTITY_UNAVAILABLE',
    ]);
    expect(await authenticate('good')).toBe('IDENTITY_UNAVAILABLE');
    expect(logins()).toHaveLength(1);
    expect(lines.join('')).toContain("refuses Glimpse's own credentials");
  });

  it.each([401, 403])('lets nobody in when Keystone will not tell it: %i', async (status) => {
    keystone().intercept = ({ method, url }) =>
      method === 'GET' && url.startsWith('/v3/auth/tokens') ? { status } : undefined;

    expect(await create()('good')).toBe('IDENTITY_UNAVAILABLE');
  });

  it.each([{}, { token: {} }, 'text', { token: { expires_at: 'x' } }])(
    'lets nobody in for an answer that says nothing: %j',
    async (body) => {
      keystone().intercept = ({ method, url }) =>
        method === 'GET' && url.startsWith('/v3/auth/tokens') ? { status: 200, body } : undefined;

      expect(await create()('good')).toBe('IDENTITY_UNAVAILABLE');
    },
  );

  it('asks the endpoint of its region and interface, where the catalogue has it', async () => {
    const second = await new StandInKeystone().start();
    second.tokens.set('only there', aTokenDocument());
    const endpoints = [
      { id: '1', interface: 'internal', region_id: 'R1', url: `${keystone().url}/wrong` },
      { id: '2', interface: 'public', region_id: 'R2', url: `${keystone().url}/wrong` },
      { id: '3', interface: 'internal', region_id: 'R2', url: second.url },
    ];
    keystone().catalog = [{ id: 's', type: 'identity', name: 'keystone', endpoints }];
    second.tokens.set('there', aTokenDocument());
    Object.assign(second, { logins: keystone().logins });

    expect(await create({ regionName: 'R2' })('there')).toMatchObject({ userId: 'u' });

    await second.stop();
  });

  it('takes 503 and a dead Keystone for neither yes nor no, and goes on when it is back', async () => {
    const authenticate = create({ cacheTtlMs: 60_000 });
    keystone().tokens.set('later', aTokenDocument());
    await authenticate('good');
    await keystone().stop();

    expect(await authenticate('later')).toBe('IDENTITY_UNAVAILABLE');
    expect(await authenticate('good')).toMatchObject({ userId: 'u' });

    await keystone().start();
    await waitFor(
      'Keystone to be asked again',
      async () => (await authenticate('later')) !== 'IDENTITY_UNAVAILABLE',
    );
    expect(await authenticate('later')).toMatchObject({ userId: 'u' });
  });

  it('waits for a slow Keystone no longer than told, and not at all when too many wait', async () => {
    const authenticate = create({
      requestTimeoutMs: 300,
      httpRequestMaxRetries: 0,
      maxConnections: 1,
      maxWaiting: 2,
    });
    await authenticate('good');
    let goOn = () => undefined as void;
    keystone().pace = new Promise<void>((resolve) => (goOn = resolve));

    const start = performance.now();
    const waiting = ['a', 'b', 'c'].map((token) => authenticate(token));
    const refused = await authenticate('d');
    const refusedAfter = performance.now() - start;
    const outcomes = await Promise.all(waiting);
    goOn();

    expect(refused).toBe('IDENTITY_UNAVAILABLE');
    expect(refusedAfter).toBeLessThan(250);
    expect(outcomes).toEqual(Array.from({ length: 3 }, () => 'IDENTITY_UNAVAILABLE'));
  });

  it('tries again when one attempt fails', async () => {
    let failures = 1;
    keystone().intercept = ({ url }) =>
      url.startsWith('/v3/auth/tokens') && failures-- > 0 ? { status: 502 } : undefined;

    expect(await create({ httpRequestMaxRetries: 2 })('good')).toMatchObject({ userId: 'u' });
  });

  it('trusts a Keystone whose certificate the CA file has, and no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-keystone-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=keystone', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '1',
        ...subject,
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
    const secure = await new StandInKeystone(tls).start();
    secure.tokens.set('good', aTokenDocument());

    const outcomes = await Promise.all([
      create({ authUrl: secure.url, caFile: cert })('good'),
      create({ authUrl: secure.url, insecure: true })('good'),
      create({ authUrl: secure.url })('good'),
    ]);

    expect(outcomes).toEqual([
      expect.objectContaining({ userId: 'u' }),
      expect.objectContaining({ userId: 'u' }),
      'IDENTITY_UNAVAILABLE',
    ]);
    await secure.stop();
    rmSync(folder, { recursive: true });
  });

  it('keeps tokens and its password out of the log, the errors and the metrics', async () => {
    const authenticate = create();
    keystone().tokens.set('planted-token', aTokenDocument());
    await authenticate('planted-token', { 'x-service-token': 'planted-service' });
    await authenticate('planted-bad');
    await keystone().stop();
    for (let n = 0; n < 5; n++) await authenticate('planted-late');

    const { body } = await renderMetrics();
    expect(inspect(errors, { depth: 10 })).toContain('ECONNREFUSED');
    expect(inspect(errors, { depth: 10 })).not.toContain('planted-');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('') + body).not.toContain('planted-');
    for (const login of keystone().logins) expect(lines.join('')).not.toContain(login);
    expect(body).toMatch(/glimpse_keystone_validations_total\{outcome="valid"\} \d/);
  });

  it.each([
    [{ authUrl: undefined }, /keystone\.auth_url/],
    [{ password: undefined }, /keystone\.password/],
    [{ username: undefined, projectName: undefined }, /keystone\.username[\s\S]*keystone\.project_name/],
    [{ applicationCredentialSecret: 's' }, /keystone\.application_credential_id/],
    [
      { applicationCredentialSecret: 's', applicationCredentialId: 'c', useLimits: true },
      /keystone\.use_limits/,
    ],
  ])('refuses options that can not work: %j', (options, message) => {
    expect(() => create(options)).toThrow(message);
  });
});
