import { Keystone } from '@glimpse/testing';
import { account } from './account.js';

/** What the private Keystone knows from the start; everybody's password is {@link account}'s. */
export const cloud = {
  region: 'RegionOne',
  imageEndpoint: 'http://127.0.0.1:9292',
  serviceUser: 'glimpse',
  serviceProject: 'service',
} as const;

/** By project: its users and their roles. */
const projects = {
  demo: { demo: ['member'], 'demo-reader': ['reader'], 'demo-admin': ['admin'] },
  alt: { alt: ['member'] },
} as const;

/** Makes the projects, the users, Glimpse's own user and its endpoint in a Keystone that has only its admin. */
export async function createCloud(adminUrl: string): Promise<void> {
  const keystone = new Keystone(adminUrl);
  const service = await keystone.createProject(cloud.serviceProject);
  const grants = [
    { roles: ['service'], on: { project: service } },
    // To read the limits of every project.
    { roles: ['reader'], on: { system: 'all' } },
  ] as const;
  await keystone.createUser(grants, cloud.serviceUser, account.password);
  for (const [name, users] of Object.entries(projects)) {
    const project = await keystone.createProject(name);
    for (const [user, roles] of Object.entries(users))
      await keystone.createUser([{ roles, on: { project } }], user, account.password);
  }
  await keystone.createEndpoint('image', cloud.region, cloud.imageEndpoint);
}

/** For Glimpse's own start with `GLIMPSE_AUTH=keystone`, for tests, and for the `openstack` command as admin. */
export function variablesOf(adminUrl: string): Record<string, string> {
  const { url } = new Keystone(adminUrl);
  return {
    GLIMPSE_TEST_KEYSTONE_URL: adminUrl,
    GLIMPSE_KEYSTONE_AUTH_URL: url,
    GLIMPSE_KEYSTONE_USERNAME: cloud.serviceUser,
    GLIMPSE_KEYSTONE_PASSWORD: account.password,
    GLIMPSE_KEYSTONE_PROJECT_NAME: cloud.serviceProject,
    OS_AUTH_URL: url,
    OS_IDENTITY_API_VERSION: '3',
    OS_REGION_NAME: cloud.region,
    OS_USERNAME: 'admin',
    OS_PASSWORD: account.password,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_ID: 'default',
    OS_PROJECT_DOMAIN_ID: 'default',
  };
}
