import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ImageDocument, ImageApi, Keystone, eachMode, request, waitFor } from '@glimpse/testing';
import { type People, createPeople } from './keystone-people.js';

const CACHE_TTL_MS = 1_000;
const soon = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString().replace('Z', '');

eachMode(
  'With tokens of Keystone',
  (glimpse) => {
    let keystone: Keystone;
    let people: People;
    let token: Record<'reader' | 'member' | 'admin' | 'stranger', string>;
    let image: ImageDocument;

    const as = (authToken: string, more: Record<string, string> = {}) =>
      new ImageApi(() => glimpse().url, { 'x-auth-token': authToken, ...more });
    const statusFor = async (authToken: string, path = '/v2/images', more: Record<string, string> = {}) =>
      (await as(authToken, more).send('GET', path)).status;
    const create = JSON.stringify({ name: 'x', disk_format: 'raw', container_format: 'bare' });
    const creation = { headers: { 'content-type': 'application/json' }, body: create };

    beforeAll(async () => {
      keystone = Keystone.fromEnvironment();
      people = await createPeople(keystone);
      const { users, ours, theirs } = people;
      token = {
        reader: await keystone.projectToken(users.reader, ours),
        member: await keystone.projectToken(users.member, ours),
        admin: await keystone.projectToken(users.admin, ours),
        stranger: await keystone.projectToken(users.stranger, theirs),
      };
      image = await as(token.member).create({ name: 'ours' });
      await as(token.member).upload(image.id, 'data');
    });

    describe('a request', () => {
      it.each<Record<string, string>>([
        {},
        { 'x-auth-token': 'gAAAAABforged' },
        { 'x-auth-token': 'no token at all' },
      ])('is refused without a valid token, and told where to get one: %j', async (headers) => {
        const answer = await request('GET', `${glimpse().url}/v2/images`, {
          headers: { ...headers, 'x-identity-status': 'Confirmed', 'x-roles': 'admin' },
        });

        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe(`Keystone uri="${keystone.url}"`);
      });

      it('belongs to the project and the user of the token, whatever its headers say', async () => {
        const forged = { 'x-project-id': people.theirs.id, 'x-roles': 'admin', 'x-user-id': 'somebody' };
        const created = await as(token.member, forged).create();

        expect(created).toMatchObject({ owner: people.ours.id });
        expect(await statusFor(token.stranger, `/v2/images/${image.id}`, { 'x-roles': 'admin' })).toBe(404);
      });
    });

    describe('the roles', () => {
      it('let a reader look, and no more', async () => {
        const reader = as(token.reader);

        expect(await reader.show(image.id)).toMatchObject({ name: 'ours', owner: people.ours.id });
        expect((await reader.list()).map(({ id }) => id)).toContain(image.id);
        await reader.expect(403, 'POST', '/v2/images', creation);
        await reader.expect(403, 'DELETE', `/v2/images/${image.id}`);
        await reader.expect(403, 'GET', `/v2/images/${image.id}/file`);
      });

      it('let a member create, upload, download and delete', async () => {
        const member = as(token.member);
        const { id } = await member.create();

        await member.upload(id, 'bytes');
        expect((await member.download(id)).toString()).toBe('bytes');
        await member.delete(id);
      });

      it('keep the images of two projects apart', async () => {
        const stranger = as(token.stranger);

        await stranger.expect(404, 'GET', `/v2/images/${image.id}`);
        await stranger.expect(404, 'GET', `/v2/images/${image.id}/file`);
        await stranger.expect(404, 'DELETE', `/v2/images/${image.id}`);
        expect((await stranger.list()).map(({ id }) => id)).not.toContain(image.id);
      });

      it('let an admin see and delete what others have', async () => {
        const { id } = await as(token.stranger).create();

        expect(await as(token.admin).show(id)).toMatchObject({ owner: people.theirs.id });
        await as(token.admin).delete(id);
      });
    });

    describe('a revoked token', () => {
      it('is refused when the cache has forgotten it, and the others are not', async () => {
        const revoked = await keystone.projectToken(people.users.reader, people.ours);
        expect(await statusFor(revoked)).toBe(200);

        await keystone.revoke(revoked);
        const start = performance.now();
        await waitFor(
          'the end of the token',
          async () => (await statusFor(revoked)) === 401,
          CACHE_TTL_MS * 3,
        );

        expect(performance.now() - start).toBeLessThan(CACHE_TTL_MS * 2);
        expect(await statusFor(token.reader)).toBe(200);
      });
    });

    describe('scopes other than a project', () => {
      it.each<[string, () => Promise<string>]>([
        ['the system', () => keystone.token(people.users.admin, { system: { all: true } })],
        ['a domain', () => keystone.token(people.users.admin, { domain: { id: 'default' } })],
        ['nothing', () => keystone.token(people.users.admin, 'unscoped')],
      ])('see and change no image: %s', async (_, issue) => {
        const issued = await issue();

        expect(await statusFor(issued, '/v2/images')).toBe(403);
        expect([403, 404]).toContain(await statusFor(issued, `/v2/images/${image.id}`));
        await as(issued).expect(403, 'POST', '/v2/images', creation);
        expect(await statusFor(issued, '/v2/schemas/image')).toBe(200);
      });
    });

    describe('a trust', () => {
      it('lets the trustee act in the project of the trustor', async () => {
        const { users, ours } = people;
        const id = await keystone.createTrust(users.member, users.stranger, ours, ['member']);
        const trusted = as(await keystone.token(users.stranger, { 'OS-TRUST:trust': { id } }));

        expect(await trusted.create()).toMatchObject({ owner: ours.id });
        expect((await trusted.download(image.id)).toString()).toBe('data');
      });
    });

    describe('an application credential', () => {
      it('acts for its user in its project', async () => {
        const credential = await keystone.createApplicationCredential(people.users.member, people.ours);
        const issued = await keystone.applicationCredentialToken(credential);

        expect(await as(issued).create()).toMatchObject({ owner: people.ours.id });
      });

      it('is bound to its access rules', async () => {
        const credential = await keystone.createApplicationCredential(people.users.member, people.ours, {
          access_rules: [{ service: 'image', method: 'GET', path: '/v2/images/*' }],
        });
        const issued = await keystone.applicationCredentialToken(credential);

        expect(await statusFor(issued, `/v2/images/${image.id}`)).toBe(200);
        expect(await statusFor(issued, `/v2/images/${image.id}/file`)).toBe(401);
        expect(await statusFor(issued, '/v2/images')).toBe(401);
        await as(issued).expect(401, 'DELETE', `/v2/images/${image.id}`);
      });
    });

    describe('a service token', () => {
      it('lets an expired token of a user through, if it is that of a service', async () => {
        const { users, ours } = people;
        const expires_at = soon(1_000);
        const credential = await keystone.createApplicationCredential(users.member, ours, { expires_at });
        const expired = await keystone.applicationCredentialToken(credential);
        const service = await keystone.projectToken(users.service, ours);
        await waitFor('the end of the token', async () => !(await keystone.isValid(expired)));

        expect(await statusFor(expired)).toBe(401);
        expect(await statusFor(expired, '/v2/images', { 'x-service-token': token.member })).toBe(401);
        expect(await statusFor(expired, '/v2/images', { 'x-service-token': service })).toBe(200);
        expect(await statusFor(expired)).toBe(401);
      });

      it('does not spoil the request when it is not valid', async () => {
        expect(await statusFor(token.reader, '/v2/images', { 'x-service-token': 'wrong' })).toBe(200);
      });

      it('alone is nobody', async () => {
        const service = await keystone.projectToken(people.users.service, people.ours);

        const { status } = await request('GET', `${glimpse().url}/v2/images`, {
          headers: { 'x-service-token': service },
        });

        expect(status).toBe(401);
      });
    });
  },
  () =>
    Keystone.fromEnvironment().glimpseOptions({
      GLIMPSE_KEYSTONE_CACHE_TTL_MS: String(CACHE_TTL_MS),
      GLIMPSE_KEYSTONE_REFUSED_CACHE_TTL_MS: '100',
    }),
);
