import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { createLogger } from '@glimpse/observability';
import { type OwnPlace, createUser, createVirtualHost, cutConnections, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BusHarness } from './bus-harness.conformance.js';
import { NotificationSender } from './notification-sender.js';
import type { NotificationPlaces } from './rabbitmq/declare-notifications.js';

describe('notifications on RabbitMQ', () => {
  let place: OwnPlace;
  let model: ChannelModel;
  let senders: NotificationSender[];
  let users: OwnPlace[];
  beforeEach(async () => {
    place = await createVirtualHost();
    model = await connect(place.url);
    model.on('error', () => undefined);
    senders = [];
    users = [];
  });
  afterEach(async () => {
    for (const sender of senders) await sender.close();
    await model.close().catch(() => undefined);
    for (const one of [...users, place]) await one.remove();
  });

  function open(more: Partial<NotificationPlaces> = {}, url = place.url): NotificationSender {
    const bus = {
      ...new BusHarness(url).options('registry'),
      logger: createLogger('x', { level: 'silent' }),
    };
    const where = { exchange: 'glance', topics: ['notifications'], durable: false, quorum: false, ...more };
    const sender = new NotificationSender(bus, where);
    senders.push(sender);
    return sender;
  }
  /** As the relay does: again and again. */
  const deliver = (sender: NotificationSender, key = 'notifications.info', body: string = randomUUID()) =>
    waitFor('a notification to be sent', () =>
      sender.send(key, body).then(
        () => body,
        () => undefined,
      ),
    );
  async function get(queue: string): Promise<string | false> {
    const channel = await model.createChannel();
    const message = await channel.get(queue, { noAck: true });
    await channel.close();
    return message === false ? false : message.content.toString();
  }

  it.each([
    ['that pass', {}],
    ['that are durable', { durable: true }],
    ['of the quorum kind', { quorum: true }],
  ])('go to queues %s, by topic and priority', async (_name, more) => {
    const sender = open({ topics: ['notifications', 'billing'], ...more });

    const first = await deliver(sender, 'billing.error');
    await sender.send('notifications.info', 'second');

    expect(await get('billing.error')).toBe(first);
    expect(await get('notifications.info')).toBe('second');
    expect(await get('notifications.error')).toBe(false);
  });

  it.each([true, false])('go to what is there, although it is durable or not (%s)', async (durable) => {
    const channel = await model.createChannel();
    await channel.assertExchange('glance', 'topic', { durable });
    await channel.assertQueue('notifications.info', { durable });

    const sent = await deliver(open({ durable: !durable }));

    expect(await get('notifications.info')).toBe(sent);
  });

  it('go to what others have made, where this user may only write', async () => {
    await deliver(open());
    const user = await createUser(place.url, { configure: '^$', write: '^glance$', read: '^$' });
    users.push(user);

    const sent = await deliver(open({}, user.url));

    await get('notifications.info');
    expect(await get('notifications.info')).toBe(sent);
  });

  it('go where there is a queue, although another one is missing that this user may not make', async () => {
    const channel = await model.createChannel();
    await channel.assertExchange('glance', 'topic', { durable: false });
    await channel.assertQueue('notifications.info', { durable: false });
    await channel.bindQueue('notifications.info', 'glance', 'notifications.info');
    const user = await createUser(place.url, { configure: '^$', write: '^glance$', read: '^$' });
    users.push(user);
    const sender = open({}, user.url);

    const sent = await deliver(sender);

    expect(await get('notifications.info')).toBe(sent);
    await expect(sender.send('notifications.error', 'nowhere')).rejects.toThrow('No queue takes');
    expect(sender.isReady).toBe(true);
  });

  it('are not lost where somebody deletes their queue', async () => {
    const sender = open();
    await deliver(sender);
    const channel = await model.createChannel();
    await channel.deleteQueue('notifications.info');

    await expect(sender.send('notifications.info', 'lost?')).rejects.toThrow('No queue takes');
    await deliver(sender, 'notifications.info', 'lost?');

    expect(await get('notifications.info')).toBe('lost?');
  });

  it('are refused for good where no broker takes them', async () => {
    const sender = open();
    await deliver(sender);

    const large = sender.send('notifications.info', 'x'.repeat(16 * 1024 * 1024));

    await expect(large).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await sender.send('notifications.info', 'next');
  });

  it('go on after one that the broker ends the channel for', async () => {
    await deliver(open());
    await get('notifications.info');
    const user = await createUser(place.url, {
      configure: '',
      write: '^glance$',
      read: '',
      topics: [{ exchange: 'glance', write: '^notifications\\.info$', read: '' }],
    });
    users.push(user);
    const sender = open({}, user.url);
    await waitFor('the connection', () => sender.isReady);

    await expect(sender.send('notifications.error', 'refused')).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
    });

    expect(sender.isReady).toBe(false);
    const sent = await deliver(sender);
    expect(sender.isReady).toBe(true);
    expect(await get('notifications.info')).toBe(sent);
  });

  it('go on when the connection was cut', async () => {
    const sender = open();
    await deliver(sender);

    await cutConnections(place.url);
    const sent = await deliver(sender);

    model = await connect(place.url);
    const seen: (string | false)[] = [await get('notifications.info'), await get('notifications.info')];
    expect(seen).toContain(sent);
  });
});
