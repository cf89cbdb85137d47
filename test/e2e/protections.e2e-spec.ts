import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { eachMode, startGlimpse, waitFor } from '@glimpse/testing';
import { V21, callers } from './callers.js';

const everything = (who: string) => `create = ${who}\nread = ${who}\nupdate = ${who}\ndelete = ${who}\n`;
const folder = mkdtempSync(join(tmpdir(), 'glimpse-protections-'));
const file = join(folder, 'property-protections.conf');
writeFileSync(file, `[^secret_]\n${everything('admin')}[.*]\n${everything('@')}`);
afterAll(() => rmSync(folder, { recursive: true }));

const env = { GLIMPSE_IMAGES_PROPERTY_PROTECTION_FILE: file };

eachMode(
  'Property protections',
  (glimpse) => {
    const { owner, admin } = callers(() => glimpse().url);
    const patch = (id: string, operations: object[]) =>
      owner.send('PATCH', `/v2/images/${id}`, { headers: V21, body: JSON.stringify(operations) });

    it('hide a property from whoever may not read it, and keep it whatever they do', async () => {
      const { id } = await admin.create({ owner: 'owner', secret_key: 's', open: 'o' });

      expect(await owner.show(id)).not.toHaveProperty('secret_key');
      expect(await owner.list('secret_key=s')).toEqual([]);
      expect((await owner.list('open=o')).map((image) => image.id)).toEqual([id]);
      const changed = await patch(id, [{ op: 'replace', path: '/open', value: 'p' }]);
      expect(changed.status).toBe(200);
      expect(JSON.parse(changed.text)).not.toHaveProperty('secret_key');
      await owner.expect(204, 'PUT', `/v2/images/${id}/tags/t`);
      await owner.upload(id, 'data');
      await owner.expect(204, 'POST', `/v2/images/${id}/actions/deactivate`);
      expect(await admin.show(id)).toMatchObject({ secret_key: 's', open: 'p', tags: ['t'] });
    });

    it.each([
      [409, 'replace'],
      [409, 'remove'],
      [403, 'add'],
    ])('answer %i to %s of a hidden property', async (status, op) => {
      const { id } = await admin.create({ owner: 'owner', secret_key: 's' });

      expect((await patch(id, [{ op, path: '/secret_key', value: 'x' }])).status).toBe(status);
    });

    it('refuse to create what the caller may not', async () => {
      const body = JSON.stringify({ secret_key: 's' });

      await owner.expect(403, 'POST', '/v2/images', { body });
      await admin.expect(201, 'POST', '/v2/images', { body });
    });
  },
  { auth: 'headers', env },
);

describe('The file of property protections', () => {
  it('is refused at the start with the line that is wrong', async () => {
    const bad = join(folder, 'bad.conf');
    writeFileSync(bad, '[a(]\n');

    const starting = startGlimpse({ env: { GLIMPSE_IMAGES_PROPERTY_PROTECTION_FILE: bad } });

    await expect(starting).rejects.toHaveProperty('cause.message', expect.stringContaining('bad.conf:1: '));
  });

  it('is read again at SIGHUP, and a bad one then changes nothing', async () => {
    const changing = join(folder, 'changing.conf');
    writeFileSync(changing, `[.*]\n${everything('@')}`);
    const glimpse = await startGlimpse({
      auth: 'headers',
      env: { GLIMPSE_IMAGES_PROPERTY_PROTECTION_FILE: changing },
    });
    const { owner } = callers(() => glimpse.url);
    const hangUp = () => process.kill(glimpse.running('registry')[0]?.pid ?? 0, 'SIGHUP');
    try {
      const { id } = await owner.create({ secret_key: 's' });
      expect(await owner.show(id)).toHaveProperty('secret_key');

      writeFileSync(changing, `[^secret_]\n${everything('admin')}[.*]\n${everything('@')}`);
      hangUp();
      await waitFor('the new rules', async () => !('secret_key' in (await owner.show(id))));
      writeFileSync(changing, 'nonsense');
      hangUp();
      await waitFor('the complaint', () => glimpse.logs.includes('changing.conf:1'));

      expect(await owner.show(id)).not.toHaveProperty('secret_key');
    } finally {
      await glimpse.stop();
    }
  });
});
