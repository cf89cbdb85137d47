import { type Glimpse, ImageApi, startGlimpse, waitFor } from '@glimpse/testing';
import { publicEvents } from '@glimpse/contracts';
import { type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const START_TIMEOUT_MS = 60_000;

describe('events on RabbitMQ', () => {
  let glimpse: Glimpse;
  let connection: ChannelModel;
  const messages: ConsumeMessage[] = [];
  beforeAll(async () => {
    const env = { GLIMPSE_BUS_EVENT_SOURCE: 'urn:cloud:one' };
    glimpse = await startGlimpse({ mode: 'distributed', env });
    connection = await connect(glimpse.env['GLIMPSE_BUS_URL'] ?? '');
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'glimpse.events', '#');
    await channel.consume(queue, (message) => message !== null && messages.push(message), { noAck: true });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await connection.close();
    await glimpse.stop();
  }, START_TIMEOUT_MS);

  const attribute = ({ properties }: ConsumeMessage, name: string): unknown =>
    properties.headers?.[`cloudEvents_${name}`];

  it('are CloudEvents 1.0 in binary mode, whose data is what the contracts say, and say no location', async () => {
    const api = new ImageApi(() => glimpse.url);
    const { id } = await api.create();
    await api.upload(id, Buffer.from('data'));
    await api.delete(id);
    const of = () => messages.filter((message) => attribute(message, 'subject') === id);
    await waitFor('the deletion', () =>
      of().some((message) => message.fields.routingKey === 'image.deleted'),
    );

    const activated = of().find((message) => message.fields.routingKey === 'image.activated');
    expect(activated?.properties).toMatchObject({
      contentType: 'application/json',
      type: 'image.activated',
      deliveryMode: 2,
      headers: {
        cloudEvents_specversion: '1.0',
        cloudEvents_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        cloudEvents_source: 'urn:cloud:one',
        cloudEvents_type: 'image.activated',
        cloudEvents_subject: id,
        cloudEvents_time: expect.stringMatching(/^\d{4}-.*Z$/),
        cloudEvents_dataschema: 'urn:glimpse:event:image.activated:1',
        cloudEvents_traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
      },
    });
    for (const message of messages) {
      const known = publicEvents.find(({ event }) => event.name === attribute(message, 'type'));
      expect(known?.event.payload.safeParse(JSON.parse(message.content.toString()))).toMatchObject({
        success: true,
      });
      expect(message.content.toString()).not.toContain('file://');
    }
  });
});
