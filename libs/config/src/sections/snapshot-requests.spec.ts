import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../load-config.js';
import { snapshotBus } from './snapshot-requests.js';

const services = 'amqp://glimpse-api:a@rabbitmq/glimpse';
const nova = 'amqp://glimpse:b@nova-rabbitmq/';

/** Who is believed to be one of ours where requests come from. */
const trustedOn = (environment: Record<string, string>) => {
  const own = { GLIMPSE_BUS_URL: services, GLIMPSE_BUS_TRUSTED_USERS: 'glimpse-manage' };
  return snapshotBus(loadConfig({ ...own, ...environment }))?.options.trustedUsers;
};

describe('snapshotBus', () => {
  it('is that of the services where no other one is named', () => {
    expect(trustedOn({})).toEqual(['glimpse-manage']);
    expect(trustedOn({ GLIMPSE_SNAPSHOTS_BUS_URL: services })).toEqual(['glimpse-manage']);
    expect(trustedOn({ GLIMPSE_BUS_URL: 'memory:' })).toBeUndefined();
  });

  it('trusts nobody on another RabbitMQ because of a name that one of ours has on the first', () => {
    expect(trustedOn({ GLIMPSE_SNAPSHOTS_BUS_URL: nova })).toEqual([]);
    expect(
      trustedOn({ GLIMPSE_SNAPSHOTS_BUS_URL: nova, GLIMPSE_SNAPSHOTS_BUS_TRUSTED_USERS: 'glimpse-operator' }),
    ).toEqual(['glimpse-operator']);
  });

  it('has no users of its own to trust where there is no other RabbitMQ', () => {
    expect(() => trustedOn({ GLIMPSE_SNAPSHOTS_BUS_TRUSTED_USERS: 'glimpse-operator' })).toThrow(
      /snapshots\.bus_trusted_users: is for a RabbitMQ in snapshots\.bus_url/,
    );
  });
});
