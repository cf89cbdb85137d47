import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, Keystone, eachMode, startGlimpse, waitFor } from '@glimpse/testing';
import { type People, createPeople } from './keystone-people.js';

const JSON_TYPE = { 'content-type': 'application/json' };

eachMode(
  'An image of another region',
  (glimpse) => {
    let elsewhere: Glimpse;
    let region: string;
    let here: ImageApi;
    let there: ImageApi;

    beforeAll(async () => {
      const keystone = Keystone.fromEnvironment();
      elsewhere = await startGlimpse(await keystone.glimpseOptions());
      region = await keystone.createRegion(keystone.url);
      await keystone.createEndpoint('image', region, `${elsewhere.url}/v2/`);
      const { users, ours }: People = await createPeople(keystone);
      // Issued after the endpoint was made: a token's catalogue is that of its time.
      const token = await keystone.projectToken(users.member, ours);
      here = new ImageApi(() => glimpse().url, { 'x-auth-token': token });
      there = new ImageApi(() => elsewhere.url, { 'x-auth-token': token });
    });
    afterAll(() => elsewhere.stop());

    const importIt = (id: string, method: object) =>
      here.send('POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name: 'glance-download', ...method } }),
      });
    const ended = (id: string) =>
      waitFor('the end of the import', async () => {
        const image = await here.show(id);
        return image.status === 'importing' || 'os_glance_import_task' in image ? undefined : image;
      });

    it('comes with its formats and some of its properties', async () => {
      const data = randomBytes(300_000);
      const remote = await there.create({
        disk_format: 'ploop',
        hw_machine_type: 'q35',
        note: 'stays there',
      });
      await there.upload(remote.id, data);
      const { id } = await here.create({ note: 'own' });

      const answer = await importIt(id, { glance_region: region, glance_image_id: remote.id });

      expect(answer.status).toBe(202);
      expect(await ended(id)).toMatchObject({
        status: 'active',
        disk_format: 'ploop',
        size: data.length,
        hw_machine_type: 'q35',
        note: 'own',
      });
      expect((await here.download(id)).equals(data)).toBe(true);
    });

    it('must be one that the caller sees, and active', async () => {
      const remote = await there.create();
      for (const glance_image_id of [remote.id, randomUUID()]) {
        const { id } = await here.create();
        expect((await importIt(id, { glance_region: region, glance_image_id })).status).toBe(202);
        expect(await ended(id)).toMatchObject({ status: 'queued', os_glance_failed_import: 'file' });
      }
    });

    it('is asked for by a region that is there and an id that is one', async () => {
      const { id } = await here.create();
      const glance_image_id = randomUUID();

      for (const [method, reason] of [
        [{ glance_image_id }, 'glance_region'],
        [{ glance_region: region }, 'glance_image_id'],
        [{ glance_region: region, glance_image_id: 'x' }, 'image id does not look like a UUID'],
        [{ glance_region: 'nowhere', glance_image_id }, 'region nowhere'],
      ] as const) {
        const { status, text } = await importIt(id, method);
        expect(status).toBe(400);
        expect(text).toContain(reason);
      }
    });
  },
  () =>
    Keystone.fromEnvironment().glimpseOptions({
      GLIMPSE_IMPORT_METHODS: 'glance-direct,glance-download',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    }),
);
