import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ImageApi, OidcIssuer, eachMode, request, startGlimpse } from '@glimpse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const issuer = await OidcIssuer.start();
afterAll(() => issuer.close());

const env = {
  GLIMPSE_AUTH: 'oidc',
  GLIMPSE_OIDC_ISSUER: issuer.url,
  GLIMPSE_OIDC_AUDIENCE: 'glimpse',
  GLIMPSE_OIDC_PROJECT_CLAIM: 'projects',
  GLIMPSE_OIDC_ROLES_CLAIMS: 'realm_access.roles',
  GLIMPSE_OIDC_ROLE_MAPPING: '{image-admins: [admin], users: [member], viewers: [reader]}',
  GLIMPSE_OIDC_KEYS_COOLDOWN_SECONDS: '1',
};

const token = (project: string, ...roles: string[]) =>
  issuer.token({ sub: `user-of-${project}`, projects: [project], realm_access: { roles } });

eachMode(
  'Callers with the token of an OpenID Connect issuer',
  (glimpse) => {
    const as = async (project: string, ...roles: string[]) =>
      new ImageApi(() => glimpse().url, { authorization: `Bearer ${await token(project, ...roles)}` });
    const statusOf = async (headers: Record<string, string>) =>
      (await request('GET', `${glimpse().url}/v2/images`, { headers })).status;
    let id: string;
    beforeAll(async () => {
      ({ id } = await (await as('red', 'users')).create({ name: 'mine' }));
    });

    it('own what they create, in their project', async () => {
      const api = await as('red', 'users');

      await api.upload(id, Readable.from([Buffer.from('data')]));

      expect(await api.show(id)).toMatchObject({ owner: 'red', status: 'active' });
      expect((await api.download(id)).toString()).toBe('data');
    });

    it('may send it as OpenStack clients do', async () => {
      await expect(statusOf({ 'x-auth-token': await token('red', 'viewers') })).resolves.toBe(200);
    });

    it('do no more than their roles let them', async () => {
      const viewer = await as('red', 'viewers');

      expect(await viewer.show(id)).toMatchObject({ id });
      await viewer.expect(403, 'DELETE', `/v2/images/${id}`);
      await (await as('red', 'somebody')).expect(404, 'GET', `/v2/images/${id}`);
    });

    it('see nothing of another project, unless they are admin', async () => {
      await (await as('blue', 'users')).expect(404, 'GET', `/v2/images/${id}`);
      await (await as('blue', 'image-admins')).expect(200, 'GET', `/v2/images/${id}`);
    });

    it('choose among their projects', async () => {
      const both = await issuer.token({
        sub: 'a',
        projects: ['blue', 'red'],
        realm_access: { roles: ['users'] },
      });
      const get = (project: string) =>
        request('GET', `${glimpse().url}/v2/images/${id}`, {
          headers: { authorization: `Bearer ${both}`, 'x-project-id': project },
        });

      expect([(await get('red')).status, (await get('blue')).status, (await get('green')).status]).toEqual([
        200, 404, 403,
      ]);
    });

    it('are told to bring a token', async () => {
      const answer = await request('GET', `${glimpse().url}/v2/images`);

      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="glimpse"');
    });

    it.each([
      ['has expired', () => issuer.token({ sub: 'a', projects: ['red'] }, { expiresIn: -60 })],
      ['is not for this service', () => issuer.token({ sub: 'a', projects: ['red'], aud: 'other' })],
    ])('are told that the token %s', async (reason, make) => {
      const answer = await request('GET', `${glimpse().url}/v2/images`, {
        headers: { authorization: `Bearer ${await make()}` },
      });

      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(
        `Bearer realm="glimpse", error="invalid_token", error_description="The token ${reason}"`,
      );
    });

    it('can not forge the headers of a proxy', async () => {
      const forged = {
        'x-identity-status': 'Confirmed',
        'x-roles': 'admin',
        'x-project-id': 'red',
        'x-user-id': 'a',
      };

      await expect(statusOf(forged)).resolves.toBe(401);
    });

    it('go on with a new key when the issuer changes its keys', async () => {
      await issuer.rotate({ withdraw: true, alg: 'ES256' });
      // The pause between two fetches of the keys may not be over.
      const deadline = Date.now() + 5_000;
      let status = 401;
      while (status !== 200 && Date.now() < deadline)
        status = await statusOf({ authorization: `Bearer ${await token('red', 'users')}` });

      expect(status).toBe(200);
    });
  },
  { env },
);

describe('An issuer that was never reached', () => {
  it('makes requests with a token 503, and those without 401', async () => {
    const glimpse = await startGlimpse({ env: { ...env, GLIMPSE_OIDC_ISSUER: 'http://127.0.0.1:1' } });
    try {
      const url = `${glimpse.url}/v2/images`;
      const headers = { authorization: `Bearer ${await token('red', 'users')}` };

      expect((await request('GET', url, { headers })).status).toBe(503);
      expect((await request('GET', url)).status).toBe(401);
      expect((await request('GET', `${glimpse.url}/versions`)).status).toBe(200);
    } finally {
      await glimpse.stop();
    }
  });
});

eachMode(
  'Anonymous access',
  (glimpse) => {
    const nobody = new ImageApi(() => glimpse().url);
    const invalid = new ImageApi(() => glimpse().url, { authorization: 'Bearer nonsense' });
    let shown: string;
    beforeAll(async () => {
      const admin = new ImageApi(() => glimpse().url, {
        authorization: `Bearer ${await token('red', 'image-admins')}`,
      });
      ({ id: shown } = await admin.create({ visibility: 'public' }));
    });

    it.each([
      ['without a token', nobody],
      ['with one that is not valid, as in Glance', invalid],
    ])('looks at what the policy opens to everybody, %s', async (_who, api) => {
      await api.expect(200, 'GET', '/v2/schemas/image');
      await api.expect(404, 'GET', `/v2/images/${shown}`);
    });

    it('changes nothing', async () => {
      const body = JSON.stringify({ name: 'x' });
      const headers = { 'content-type': 'application/json' };

      await nobody.expect(403, 'POST', '/v2/images', { headers, body });
      for (const method of ['PUT', 'DELETE'])
        expect((await nobody.send(method, `/v2/images/${shown}/tags/a`)).status).toBe(403);
    });
  },
  { env: { ...env, GLIMPSE_ALLOW_ANONYMOUS_ACCESS: 'true' } },
);

describe('Anonymous access with a policy that opens public images', () => {
  it('looks at them and at their data, and changes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-policy-'));
    const file = join(folder, 'policy.yaml');
    const own = 'role:admin or (role:reader and project_id:%(project_id)s)';
    writeFileSync(
      file,
      `get_images: '@'\nget_image: "${own} or 'public':%(visibility)s"\ndownload_image: "${own} or 'public':%(visibility)s"\n`,
    );
    const glimpse = await startGlimpse({
      env: { ...env, GLIMPSE_ALLOW_ANONYMOUS_ACCESS: 'true', GLIMPSE_POLICY_FILE: file },
    });
    try {
      const nobody = new ImageApi(() => glimpse.url);
      const admin = new ImageApi(() => glimpse.url, {
        authorization: `Bearer ${await token('red', 'image-admins')}`,
      });
      const { id } = await admin.create({ visibility: 'public' });
      const { id: secret } = await admin.create();
      await admin.upload(id, 'open');

      expect((await nobody.list()).map((image) => image.id)).toEqual([id]);
      expect((await nobody.download(id)).toString()).toBe('open');
      await nobody.expect(404, 'GET', `/v2/images/${secret}`);
      expect((await nobody.expect(403, 'DELETE', `/v2/images/${id}`)).text).toContain('Read-only');
    } finally {
      await glimpse.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
