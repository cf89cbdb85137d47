import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ImageApi, Keystone, TcpProxy, eachMode, waitFor } from '@glimpse/testing';
import { type People, createPeople } from './keystone-people.js';

/** Longest that a request may wait for Keystone, and what the machine may need besides. */
const REQUEST_TIMEOUT_MS = 1_500;
const BOUND_MS = REQUEST_TIMEOUT_MS + 2_000;

let proxy: TcpProxy;

/** Keystone is reached through the proxy only: by its URL and, in a region of its own, by the catalogue. */
async function behindProxy() {
  const keystone = Keystone.fromEnvironment();
  proxy = new TcpProxy(new URL(keystone.url));
  await proxy.open();
  return keystone.glimpseOptions({
    GLIMPSE_KEYSTONE_AUTH_URL: proxy.url,
    GLIMPSE_KEYSTONE_REGION_NAME: await keystone.createRegion(proxy.url),
    GLIMPSE_KEYSTONE_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
  });
}

eachMode(
  'With Keystone away',
  (glimpse) => {
    let keystone: Keystone;
    let people: People;
    let known: string;

    const send = (token: string, more: Record<string, string> = {}) =>
      new ImageApi(() => glimpse().url, { 'x-auth-token': token, ...more }).send('GET', '/v2/images');
    const statusFor = async (token: string, more: Record<string, string> = {}) =>
      (await send(token, more)).status;
    const freshToken = () => keystone.projectToken(people.users.member, people.ours);
    const comesBack = async () => {
      const token = await freshToken();
      await waitFor('Keystone to be asked again', async () => (await statusFor(token)) === 200, 15_000);
    };

    beforeAll(async () => {
      keystone = Keystone.fromEnvironment();
      people = await createPeople(keystone);
      known = await freshToken();
      await statusFor(known);
    });
    afterAll(() => proxy.close());

    it.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
      ['gone', () => proxy.close(), () => proxy.open()],
      ['hanging', () => proxy.freeze(), () => proxy.thaw()],
    ])('serves who is known and nobody else, at once, and recovers: %s', async (_, goAway, comeBack) => {
      const [stranger, service] = [
        await freshToken(),
        await keystone.projectToken(people.users.service, people.ours),
      ];
      await goAway();

      const start = performance.now();
      const statuses = await Promise.all([
        statusFor(known),
        ...Array.from({ length: 40 }, () => statusFor(stranger)),
        statusFor('gAAAAABforged', { 'x-service-token': service }),
        statusFor(known, { 'x-service-token': service }),
        statusFor(known),
      ]);

      expect(statuses).toEqual([200, ...Array.from({ length: 42 }, () => 503), 200]);
      expect(performance.now() - start).toBeLessThan(BOUND_MS);

      await comeBack();
      await comesBack();
      expect(await statusFor(stranger)).toBe(200);
    });

    it('says so in the answer and stays ready, since those who are known are served', async () => {
      const token = await freshToken();
      await proxy.close();

      const { status, text } = await send(token);
      const { status: readiness } = await new ImageApi(() => glimpse().url).send('GET', '/readyz');

      expect(status).toBe(503);
      expect(text).toContain('identity service');
      expect(readiness).toBe(200);
      await proxy.open();
      await comesBack();
    });
  },
  behindProxy,
);
