import { beforeAll, expect, it } from '@jest/globals';
import { ImageApi, Keystone, eachMode, waitFor } from '@glimpse/testing';
import { type People, createPeople } from './keystone-people.js';

let region: string;
let serviceId: string;

/** Limits in a region of their own, so that runs do not meet each other. */
async function withLimits() {
  const keystone = Keystone.fromEnvironment();
  region = await keystone.createRegion(keystone.url);
  serviceId = await keystone.createEndpoint('image', region, 'http://127.0.0.1:9292');
  const limits = {
    image_count_total: 2,
    image_size_total: 1,
    image_stage_total: 1,
    image_count_uploading: 5,
  };
  for (const [resource, limit] of Object.entries(limits))
    await keystone.registerLimit(serviceId, region, resource, limit);
  return keystone.glimpseOptions({
    GLIMPSE_KEYSTONE_USE_LIMITS: 'true',
    GLIMPSE_KEYSTONE_REGION_NAME: region,
    GLIMPSE_KEYSTONE_LIMITS_CACHE_TTL_MS: '100',
  });
}

eachMode(
  'With unified limits of Keystone',
  (glimpse) => {
    let keystone: Keystone;
    let people: People;
    let ours: ImageApi;
    let theirs: ImageApi;

    const usageOf = async (api: ImageApi) => {
      const { text } = await api.expect(200, 'GET', '/v2/info/usage');
      return (JSON.parse(text) as { usage: Record<string, { usage: number; limit: number }> }).usage;
    };
    const body = JSON.stringify({ name: 'x', disk_format: 'raw', container_format: 'bare' });
    const creation = { headers: { 'content-type': 'application/json' }, body };

    beforeAll(async () => {
      keystone = Keystone.fromEnvironment();
      people = await createPeople(keystone);
      const apiOf = (token: string) => new ImageApi(() => glimpse().url, { 'x-auth-token': token });
      ours = apiOf(await keystone.projectToken(people.users.member, people.ours));
      theirs = apiOf(await keystone.projectToken(people.users.stranger, people.theirs));
    });

    it('lets a project have no more images than what holds for every project', async () => {
      await ours.create();
      await ours.create();

      await ours.expect(413, 'POST', '/v2/images', creation);
      await theirs.create();
      expect(await usageOf(ours)).toMatchObject({
        image_count_total: { usage: 2, limit: 2 },
        image_size_total: { usage: 0, limit: 1 },
      });
    });

    it('heeds the limit of the project as soon as Keystone has it', async () => {
      await keystone.setLimit(serviceId, region, people.ours, 'image_count_total', 3);

      await waitFor('the new limit', async () => (await usageOf(ours))['image_count_total']?.limit === 3);

      await ours.create();
      await ours.expect(413, 'POST', '/v2/images', creation);
      expect((await usageOf(theirs))['image_count_total']).toEqual({ usage: 1, limit: 2 });
    });

    it('lets a project that has all the MiB it may have upload not one more', async () => {
      const [full, more] = await theirs.list().then(async (images) => [...images, await theirs.create()]);
      await theirs.upload(full!.id, Buffer.alloc(1_048_576));

      const { status } = await theirs.send('PUT', `/v2/images/${more!.id}/file`, {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.alloc(1_048_576),
      });

      expect(status).toBe(413);
    });
  },
  withLimits,
);
