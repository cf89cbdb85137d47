import { randomUUID } from 'node:crypto';
import { loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import type { NotificationRow } from '@glimpse/persistence';
import { type OwnPlace, createUser, createVirtualHost, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { type NotificationOutlet, openOutlet } from './notification-outlet.js';

const aRow = (): NotificationRow => ({
  id: 1,
  message_id: randomUUID(),
  event_type: 'image.create',
  priority: 'INFO',
  subject: 'i',
  payload: '{}',
  occurred_at: 0,
  attempts: 0,
  held_until: null,
  sent_at: null,
});

describe('notifications on several topics', () => {
  let place: OwnPlace;
  let writer: OwnPlace;
  let model: ChannelModel;
  let channel: Channel;
  let outlet: NotificationOutlet;
  beforeEach(async () => {
    place = await createVirtualHost();
    writer = await createUser(place.url, { configure: '^$', write: '^glance$', read: '^$' });
    model = await connect(place.url);
    channel = await model.createChannel();
    await channel.assertExchange('glance', 'topic', { durable: false });
    await aQueue('well.info');
  });
  afterEach(async () => {
    await outlet.close();
    await model.close();
    await writer.remove();
    await place.remove();
  });

  async function aQueue(name: string, options: object = {}): Promise<void> {
    await channel.assertQueue(name, { durable: false, ...options });
    await channel.bindQueue(name, 'glance', name);
  }
  /** A registry that may make nothing; `well` is the first of its topics. */
  async function open(): Promise<void> {
    const config = loadConfig({
      GLIMPSE_DATA_DIR: '/nonexistent',
      GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2',
      GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: writer.url,
      GLIMPSE_NOTIFICATIONS_TOPICS: 'well,ill',
    });
    const logger = createLogger('registry', { level: 'silent' });
    outlet = openOutlet(config, {
      service: 'registry',
      instanceId: 'registry',
      url: writer.url,
      options: config.bus,
      logger,
    });
    await waitFor('the connection', () => outlet.isReady);
  }
  const countOf = async (queue: string) => (await channel.checkQueue(queue)).messageCount;
  const fail = (row: NotificationRow) =>
    expect(outlet.send(row)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });

  it('go to none while the queue of one is missing, and to all once it is there', async () => {
    await open();
    const row = aRow();

    for (let attempt = 0; attempt < 3; attempt += 1) await fail(row);

    expect(await countOf('well.info')).toBe(0);
    await aQueue('ill.info');
    await outlet.send(row);
    expect([await countOf('well.info'), await countOf('ill.info')]).toEqual([1, 1]);
  });

  it('do not go to one again and again while another is full', async () => {
    await aQueue('ill.info', { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
    await open();
    await outlet.send(aRow());
    const row = aRow();

    for (let attempt = 0; attempt < 4; attempt += 1) await fail(row);

    expect(await countOf('well.info')).toBe(2);
    await channel.purgeQueue('ill.info');
    await outlet.send(row);
    expect(await countOf('ill.info')).toBe(1);
  });
});
