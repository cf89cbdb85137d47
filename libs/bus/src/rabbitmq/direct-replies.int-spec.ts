import { ServiceError } from '@glimpse/contracts';
import { type OwnPlace, createVirtualHost, cutConnections, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChannelModel, connect } from 'amqplib';
import { BusHarness } from '../bus-harness.conformance.js';
import { DirectReplies } from './direct-replies.js';
import { connectTo } from './rabbit-connection.js';
import { userOf } from './trusted-users.js';

const ADDRESS = 'amq.rabbitmq.reply-to';
const FORGED = `${ADDRESS}.g1h.AA`;

describe('direct replies', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let replies: DirectReplies;
  let connections: number;
  let isAway: boolean;
  let host: ChannelModel;
  let arrived: string[];
  let address: string;

  /** Waits for replies, as compute does; `address` is where. */
  const wait = async () => {
    host = await connect(place.url);
    host.on('error', () => undefined);
    const channel = await host.createChannel();
    await channel.consume(ADDRESS, (reply) => void arrived.push(String(reply?.content)), { noAck: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const asked = new Promise<string>((resolve) => {
      const take = channel.consume(queue, (message) => resolve(String(message?.properties.replyTo)));
      void take.then(() => channel.sendToQueue(queue, Buffer.from('?'), { replyTo: ADDRESS }));
    });
    address = await asked;
  };
  const send = (body: string, routingKey = address) =>
    replies.send({ routingKey, body: Buffer.from(body), options: {} });

  beforeEach(async () => {
    place = await createVirtualHost();
    harness = new BusHarness(place.url);
    connections = 0;
    isAway = false;
    arrived = [];
    replies = new DirectReplies(harness.options('api-gateway'), userOf(place.url), (bus, end) => {
      connections += 1;
      return isAway ? Promise.reject(new Error('away')) : connectTo(bus, end);
    });
    await wait();
  });
  afterEach(async () => {
    await replies.close();
    await host.close().catch(() => undefined);
    await harness.close();
    await place.remove();
  });

  it('go over one connection, in their order', async () => {
    const bodies = Array.from({ length: 50 }, (_, index) => `${index}`);

    const sent = await Promise.all(bodies.map((body) => send(body)));

    expect(sent.every((isSent) => isSent)).toBe(true);
    await waitFor('the replies', () => arrived.length === bodies.length);
    expect(arrived).toEqual(bodies);
    expect(connections).toBe(1);
  });

  it('are not harmed by one to a forged address', async () => {
    const sent = await Promise.all([send('1'), send('forged', FORGED), send('2'), send('3')]);

    expect(sent).toEqual([true, false, true, true]);
    await waitFor('the replies', () => arrived.length === 3);
    expect(connections).toBe(2);
  });

  it('go over a new connection when the one before was cut', async () => {
    await send('1');
    await cutConnections(place.url);
    await wait();

    // The end of the connection may come to light only with the next reply.
    await waitFor('a reply', () => send('2').catch(() => false));

    await waitFor('the replies', () => arrived.includes('2'));
    expect(connections).toBe(2);
  });

  it('fail at once, all that wait, where there is no connection, and are sent when there is one again', async () => {
    isAway = true;

    const failed = await Promise.allSettled([send('1'), send('2'), send('3')]);

    expect(failed).toEqual(
      [1, 2, 3].map(() => ({ status: 'rejected', reason: expect.any(ServiceError) as unknown })),
    );
    expect(connections).toBe(1);
    isAway = false;
    await waitFor('a reply', () => send('4').catch(() => false));
    await waitFor('the reply', () => arrived.includes('4'));
  });
});
