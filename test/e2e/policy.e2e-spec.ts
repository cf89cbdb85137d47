import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Glimpse, ImageApi, eachMode, startGlimpse, waitFor } from '@glimpse/testing';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { JSON_TYPE, V21, callers, identity } from './callers.js';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-policy-'));
const policyFile = join(folder, 'policy.yaml');
const write = (text: string) => writeFileSync(policyFile, text);
afterAll(() => rmSync(folder, { recursive: true }));

const AT_THE_START = `
curators: "role:curator or rule:context_is_admin"
publicize_image: "rule:curators"
`;

eachMode(
  'an operator’s policy',
  (glimpse: () => Glimpse) => {
    const url = () => glimpse().url;
    const { owner, admin, stranger, reader } = callers(url);
    const curator = new ImageApi(url, identity('owner', 'curator', 'member', 'reader'));
    const newImage = (attributes: object) => ({
      headers: JSON_TYPE,
      body: JSON.stringify({ name: 'x', ...attributes }),
    });
    const registryLog = () => glimpse().running('registry')[0]?.log ?? '';
    const linesWith = (text: string) => registryLog().split(text).length - 1;

    /** Writes the file and has it read; resolves when it counts, or was refused. */
    async function reload(text: string): Promise<void> {
      const outcomes = () => linesWith('"policy loaded"') + linesWith('not reloaded');
      const before = outcomes();
      write(text);
      for (const { pid } of glimpse().running('registry')) process.kill(pid, 'SIGHUP');
      await waitFor('the registry to read its policy', () => outcomes() > before);
    }
    beforeEach(() => reload(AT_THE_START));

    it('lets those do more whom it names, and nobody else', async () => {
      const { text } = await owner.expect(403, 'POST', '/v2/images', newImage({ visibility: 'public' }));

      expect(text).toContain('publicize_image');
      await curator.expect(201, 'POST', '/v2/images', newImage({ visibility: 'public' }));
      await admin.expect(201, 'POST', '/v2/images', newImage({ visibility: 'public' }));
    });

    it('is read again at SIGHUP', async () => {
      const { id } = await owner.create();
      await reload('delete_image: "!"');

      await admin.expect(403, 'DELETE', `/v2/images/${id}`);
      await owner.expect(403, 'DELETE', `/v2/images/${id}`);
      await curator.expect(403, 'POST', '/v2/images', newImage({ visibility: 'public' }));
      await reload(AT_THE_START);
      await owner.delete(id);
    });

    it.each([
      [
        'is no rule',
        'delete_image: "role:x and"',
        'policy.yaml:1: delete_image: a check is missing at the end',
      ],
      ['is no YAML', 'a: "b\n', 'policy.yaml:1: '],
      ['goes round in a circle', 'a: rule:b\nb: rule:a', 'a circle: a → b → a'],
    ])('stays as it was where the new one %s', async (_, text, reason) => {
      await reload(text);

      await curator.expect(201, 'POST', '/v2/images', newImage({ visibility: 'public' }));
      expect(registryLog()).toContain(reason);
    });

    it('decides by the properties of the image, also what is in a list', async () => {
      const secret = await admin.create({ visibility: 'public', classification: 'secret' });
      const open = await admin.create({ visibility: 'public', classification: 'none' });
      await reload(`get_image: "rule:context_is_admin or (role:reader and not 'secret':%(classification)s)"`);

      const listed = (await stranger.list('limit=1000')).map(({ id }) => id);

      expect(listed).toContain(open.id);
      expect(listed).not.toContain(secret.id);
      await stranger.expect(404, 'GET', `/v2/images/${secret.id}`);
      await admin.show(secret.id);
      // Who may not know of it is not told that he may not change it.
      await stranger.expect(404, 'DELETE', `/v2/images/${secret.id}`);
      await stranger.expect(403, 'DELETE', `/v2/images/${open.id}`);
    });

    it('lets no other project change an image, whatever it says', async () => {
      const { id } = await admin.create({ visibility: 'public' });
      await reload('modify_image: ""');

      await stranger.expect(403, 'PATCH', `/v2/images/${id}`, {
        headers: V21,
        body: JSON.stringify([{ op: 'replace', path: '/name', value: 'mine' }]),
      });
    });

    it('tells who does not see an image nothing of it, and who sees it what he may not do', async () => {
      const { id } = await owner.create({ visibility: 'private' });

      await stranger.expect(404, 'GET', `/v2/images/${id}`);
      await stranger.expect(404, 'DELETE', `/v2/images/${id}`);
      const { text } = await reader.expect(403, 'DELETE', `/v2/images/${id}`);
      expect(text).toContain('You are not authorized to complete delete_image action.');
    });

    it('is what the operator’s command talks about', async () => {
      const list = await glimpse().manage('policy', 'list', '--json');
      const check = await glimpse().manage(
        ...'policy check --rule publicize_image --roles curator --project p1 --json'.split(' '),
      );

      expect(JSON.parse(list)).toContainEqual({
        rule: 'publicize_image',
        source: `${policyFile}:3`,
        effective: 'rule:curators',
        default: 'rule:context_is_admin',
      });
      expect(JSON.parse(check)).toMatchObject({ rule: 'publicize_image', allowed: true });
      expect(await glimpse().manage('policy', 'check-file')).toBe('2 rules, no error.\n');
      expect(await glimpse().manage('policy', 'show-effective', 'publicize_image')).toBe(
        `# ${policyFile}:3; guards visibility public, at creation and by PATCH\n` +
          'publicize_image: "role:curator or role:admin"\n',
      );
      write('delete_image: "("');
      await expect(glimpse().manage('policy', 'check-file')).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`${policyFile}:1: delete_image: a check is missing`),
      });
    });
  },
  () => {
    write(AT_THE_START);
    return Promise.resolve({ auth: 'headers' as const, env: { GLIMPSE_POLICY_FILE: policyFile } });
  },
);

describe('a policy that can not be used', () => {
  it('keeps the service from starting, and says which line is wrong', async () => {
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, '# mine\ndelete_image: "role:x or"\n');

    await expect(startGlimpse({ env: { GLIMPSE_POLICY_FILE: broken } })).rejects.toMatchObject({
      cause: {
        message: expect.stringContaining(`${broken}:2: delete_image: a check is missing at the end`),
        cause: { message: 'ended with code 2' },
      },
    });
  });
});
