import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Keystone, type KeystoneUser, type Named, eachMode, waitFor } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';
import { type People, createPeople } from '../e2e/keystone-people.js';
import { runClient } from './client.js';

const CACHE_TTL_MS = 2_000;

eachMode(
  'The openstack command with a password',
  (glimpse) => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-keystone-'));
    const { path, diskFormat } = makeDiskImage(folder);
    let keystone: Keystone;
    let people: People;
    let region: string;
    let id: string;

    /** The client finds Glimpse in the catalogue, in a region of its own. */
    beforeAll(async () => {
      keystone = Keystone.fromEnvironment();
      people = await createPeople(keystone);
      region = await keystone.createRegion(keystone.url);
      await keystone.createEndpoint('image', region, glimpse().url);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const at = () => ['--os-auth-url', keystone.url, '--os-region-name', region];
    const login = (user: KeystoneUser) => ['--os-user-id', user.id, '--os-password', user.password];
    const openstack = (...args: string[]) => runClient(folder, 'openstack', args);
    const as =
      (user: KeystoneUser, project: Named) =>
      (...args: string[]) =>
        openstack(...at(), ...login(user), '--os-project-id', project.id, ...args);
    const reader = (...args: string[]) => as(people.users.reader, people.ours)(...args);
    const member = (...args: string[]) => as(people.users.member, people.ours)(...args);
    const admin = (...args: string[]) => as(people.users.admin, people.ours)(...args);
    const stranger = (...args: string[]) => as(people.users.stranger, people.theirs)(...args);
    const formats = ['--disk-format', diskFormat, '--container-format', 'bare'];
    const newImage = (name: string) => ['image', 'create', '--file', path, ...formats, name, '-f', 'json'];
    const idsIn = (list: string) => (JSON.parse(list) as { ID: string }[]).map((image) => image.ID);

    it('lets a member create an image with data and get it back', async () => {
      const created = JSON.parse(await member(...newImage('ours'))) as {
        id: string;
        owner: string;
      };
      ({ id } = created);
      expect(created.owner).toBe(people.ours.id);

      const copy = join(folder, `copy-${id}`);
      await member('image', 'save', '--file', copy, id);

      expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
    });

    it('lets a reader look, and no more', async () => {
      expect(idsIn(await reader('image', 'list', '-f', 'json'))).toContain(id);
      await expect(reader(...newImage('refused'))).rejects.toThrow(/403/);
      await expect(reader('image', 'delete', id)).rejects.toThrow(/403|forbidden/i);
    });

    it('shows nothing of it to another project', async () => {
      expect(idsIn(await stranger('image', 'list', '-f', 'json'))).not.toContain(id);
      await expect(stranger('image', 'show', id)).rejects.toThrow(/no image found|could not find/i);
    });

    it('lets an admin publish it', async () => {
      await expect(member('image', 'set', '--public', id)).rejects.toThrow(/403|forbidden/i);
      await admin('image', 'set', '--public', id);

      expect(idsIn(await stranger('image', 'list', '--public', '-f', 'json'))).toContain(id);
    });

    it('works with an application credential', async () => {
      const credential = await keystone.createApplicationCredential(people.users.member, people.ours);
      const by = [
        '--os-application-credential-id',
        credential.id,
        '--os-application-credential-secret',
        credential.secret,
      ];

      const list = await openstack(
        ...at(),
        '--os-auth-type',
        'v3applicationcredential',
        ...by,
        'image',
        'list',
        '-f',
        'json',
      );

      expect(idsIn(list)).toContain(id);
    });

    it('works with a trust', async () => {
      const trust = await keystone.createTrust(people.users.member, people.users.stranger, people.ours, [
        'member',
      ]);

      const by = [...login(people.users.stranger), '--os-trust-id', trust];
      const created = JSON.parse(await openstack(...at(), ...by, ...newImage('by-trust'))) as {
        owner: string;
      };

      expect(created.owner).toBe(people.ours.id);
    });

    it('is refused with a token for the system', async () => {
      const list = openstack(
        ...at(),
        ...login(people.users.admin),
        '--os-system-scope',
        'all',
        'image',
        'list',
      );

      await expect(list).rejects.toThrow(/403/);
    });

    it('is the glance command as well, until its token is revoked', async () => {
      const user = people.users.reader;
      const token = await keystone.projectToken(user, people.ours);
      const list = () =>
        runClient(folder, 'glance', [
          '--os-image-url',
          glimpse().url,
          '--os-auth-token',
          token,
          'image-list',
        ]);
      expect(await list()).toContain(id);

      await reader('token', 'revoke', token);
      const isRefused = async () =>
        list().then(
          () => false,
          (error: Error) => error.message.includes('Invalid OpenStack Identity credentials'),
        );

      expect(await waitFor('the end of the token', isRefused, CACHE_TTL_MS + 15_000)).toBe(true);
    });
  },
  () => Keystone.fromEnvironment().glimpseOptions({ GLIMPSE_KEYSTONE_CACHE_TTL_MS: String(CACHE_TTL_MS) }),
);
