import { ImageApi } from '@glimpse/testing';

export const JSON_TYPE = { 'content-type': 'application/json' };
export const V21 = { 'content-type': 'application/openstack-images-v2.1-json-patch' };

/** The headers that a proxy in front sets for a caller. */
export const identity = (project: string, ...roles: string[]) => ({
  'x-identity-status': 'Confirmed',
  'x-user-id': `user-of-${project}`,
  'x-project-id': project,
  'x-roles': roles.join(','),
});

/** Those who call a Glimpse that trusts the headers of a proxy: each a member of a project of its own. */
export const callers = (url: () => string) => ({
  owner: new ImageApi(url, identity('owner', 'member', 'reader')),
  consumer: new ImageApi(url, identity('consumer', 'member', 'reader')),
  stranger: new ImageApi(url, identity('stranger', 'member', 'reader')),
  /** Of the owner's project. */
  reader: new ImageApi(url, identity('owner', 'reader')),
  admin: new ImageApi(url, identity('admin', 'admin', 'member', 'reader')),
});
