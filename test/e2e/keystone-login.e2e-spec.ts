import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, Keystone, startGlimpse, waitFor } from '@glimpse/testing';
import { type People, createPeople } from './keystone-people.js';

describe('Glimpse as a user of Keystone', () => {
  let keystone: Keystone;
  let people: People;
  let token: string;
  let glimpse: Glimpse | undefined;
  beforeAll(async () => {
    keystone = Keystone.fromEnvironment();
    people = await createPeople(keystone);
    token = await keystone.projectToken(people.users.member, people.ours);
  });
  afterEach(() => glimpse?.stop());

  const status = async () => {
    const api = new ImageApi(() => glimpse!.url, { 'x-auth-token': token });
    return (await api.send('GET', '/v2/images')).status;
  };

  it('logs in with an application credential, at an address without /v3', async () => {
    const credential = await keystone.createApplicationCredential(people.users.service, people.ours);
    const env = {
      GLIMPSE_KEYSTONE_AUTH_URL: keystone.url.replace(/\/v3$/, ''),
      GLIMPSE_KEYSTONE_APPLICATION_CREDENTIAL_ID: credential.id,
      GLIMPSE_KEYSTONE_APPLICATION_CREDENTIAL_SECRET: credential.secret,
    };

    glimpse = await startGlimpse({ auth: 'keystone', env });

    expect(await status()).toBe(200);
  });

  it.each<[string, () => Promise<Record<string, string>>, string]>([
    [
      'its password is wrong',
      async () => ({ GLIMPSE_KEYSTONE_PASSWORD: 'wrong' }),
      "Keystone refuses Glimpse's own credentials",
    ],
    [
      'it may not ask about tokens',
      async () => {
        const user = await keystone.createUser([{ roles: ['reader'], on: { project: people.ours } }]);
        return {
          GLIMPSE_KEYSTONE_USERNAME: user.name,
          GLIMPSE_KEYSTONE_PASSWORD: user.password,
          GLIMPSE_KEYSTONE_PROJECT_NAME: people.ours.name,
        };
      },
      'its user needs the role service',
    ],
  ])('lets nobody in and says why in the log when %s', async (_, change, reason) => {
    glimpse = await startGlimpse(await keystone.glimpseOptions(await change()));

    expect(await status()).toBe(503);
    await waitFor('the log line', () => glimpse!.logs.includes(reason));
  });

  it('goes on when its own token has been revoked', async () => {
    const options = await keystone.glimpseOptions({ GLIMPSE_KEYSTONE_CACHE_TTL_MS: '0' });
    glimpse = await startGlimpse(options);
    expect(await status()).toBe(200);

    // A new password ends all tokens of a user; the old one is set again for the next login.
    const { GLIMPSE_KEYSTONE_USERNAME: name, GLIMPSE_KEYSTONE_PASSWORD: password } = options.env;
    const user = await keystone.find('user', `name=${name}`);
    for (const next of ['another', password])
      await keystone.admin('PATCH', `/users/${user!.id}`, { user: { password: next } });

    // Keystone takes a token of the same second for one that the new password has ended.
    await waitFor('a login that holds', async () => (await status()) === 200);
  });
});
