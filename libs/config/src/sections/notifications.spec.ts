import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../load-config.js';

describe('the options of notifications', () => {
  it('notify nobody by default', () => {
    expect(loadConfig({}).notifications).toMatchObject({
      driver: 'noop',
      exchange: 'glance',
      topics: ['notifications'],
      publisherId: 'image.localhost',
      retry: -1,
    });
  });

  it('take types and groups that are not to be sent', () => {
    const names = 'image.send,task,metadef_tag';
    const { notifications } = loadConfig({ GLIMPSE_NOTIFICATIONS_DISABLED_NOTIFICATIONS: names });

    expect(notifications.disabledNotifications).toEqual(names.split(','));
  });

  it.each([
    // A group of Glance's documentation, which means nothing to it.
    ['image.member', { GLIMPSE_NOTIFICATIONS_DISABLED_NOTIFICATIONS: 'image.member' }],
    ['notifications.topics', { GLIMPSE_NOTIFICATIONS_TOPICS: '' }],
    ['notifications.transport_url', { GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2' }],
    ['notifications.transport_url', { GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: 'rabbit://u:p@h/v' }],
  ])('are refused where %s can not be', (named, environment) => {
    expect(() => loadConfig(environment)).toThrow(named);
  });

  it('take the RabbitMQ of the services where no other is named', () => {
    const environment = { GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2', GLIMPSE_BUS_URL: 'amqp://u:p@h/v' };

    expect(loadConfig(environment).notifications.transportUrl).toBeUndefined();
  });
});
