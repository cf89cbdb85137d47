import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { type BusUser, permissionsOf, trustedBy } from './index.js';

const Compose = z.object({
  services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()).optional() })),
  configs: z.object({ 'rabbitmq-definitions': z.object({ content: z.string() }) }),
});
const Definitions = z.object({
  users: z.array(z.object({ name: z.string(), password: z.string(), tags: z.string() })),
  topic_permissions: z.array(
    z.object({
      user: z.string(),
      vhost: z.string(),
      exchange: z.string(),
      write: z.string(),
      read: z.string(),
    }),
  ),
  permissions: z.array(
    z.object({
      user: z.string(),
      vhost: z.string(),
      configure: z.string(),
      write: z.string(),
      read: z.string(),
    }),
  ),
});

const compose = Compose.parse(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }));
/** As Compose does: variables that are not set, and dollars that are written twice. */
const interpolated = compose.configs['rabbitmq-definitions'].content
  .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
  .replaceAll('$$', '$');
const definitions = Definitions.parse(JSON.parse(interpolated));

/** Of the two kinds of compute the one that needs less. */
const accounts: Record<Exclude<BusUser, 'compute-oslo'>, string> = {
  'api-gateway': 'glimpse-api',
  registry: 'glimpse-registry',
  'store-worker': 'glimpse-store-worker',
  manage: 'glimpse-manage',
  compute: 'glimpse-compute',
};

describe('docker-compose.yml', () => {
  it.each(Object.entries(accounts) as [keyof typeof accounts, string][])(
    'gives the %s the least rights',
    (service, account) => {
      const given = definitions.permissions.filter(({ user }) => user === account);

      const { topics = [], ...rights } = permissionsOf(service);
      expect(given).toEqual([{ user: account, vhost: 'glimpse', ...rights }]);
      expect(definitions.topic_permissions.filter(({ user }) => user === account)).toEqual(
        topics.map((topic) => ({ user: account, vhost: 'glimpse', ...topic })),
      );
      expect(definitions.users.find(({ name }) => name === account)).toMatchObject({ tags: '' });
    },
  );

  it.each(['api-gateway', 'registry', 'store-worker'] as const)(
    'lets the %s log in as itself and trust nobody without need',
    (service) => {
      const { environment = {} } = compose.services[service] ?? {};

      expect(environment['GLIMPSE_BUS_URL']).toMatch(new RegExp(`^amqp://${accounts[service]}:`));
      expect(environment['GLIMPSE_BUS_DECLARE']).toBe('false');
      expect(environment['GLIMPSE_BUS_TRUSTED_USERS']?.split(',').toSorted()).toEqual(
        trustedBy[service].map((user) => accounts[user as keyof typeof accounts]).toSorted(),
      );
    },
  );
});
