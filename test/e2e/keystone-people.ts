import type { Keystone, KeystoneUser, Named } from '@glimpse/testing';

/** Two projects of their own and people with every role, so that runs do not meet each other. */
export interface People {
  readonly ours: Named;
  readonly theirs: Named;
  readonly users: {
    /** Of our project, each with that role only. */
    readonly reader: KeystoneUser;
    readonly member: KeystoneUser;
    /** Also admin of the domain and the system. */
    readonly admin: KeystoneUser;
    /** A service, such as compute. */
    readonly service: KeystoneUser;
    /** A member of the other project. */
    readonly stranger: KeystoneUser;
  };
}

export async function createPeople(keystone: Keystone): Promise<People> {
  const ours = await keystone.createProject();
  const theirs = await keystone.createProject();
  const inOurs = (role: string) => keystone.createUser([{ roles: [role], on: { project: ours } }]);
  const admin = await inOurs('admin');
  await keystone.grant(admin, 'admin', { system: 'all' });
  await keystone.grant(admin, 'admin', { domain: 'default' });
  return {
    ours,
    theirs,
    users: {
      reader: await inOurs('reader'),
      member: await inOurs('member'),
      admin,
      service: await inOurs('service'),
      stranger: await keystone.createUser([{ roles: ['member'], on: { project: theirs } }]),
    },
  };
}
