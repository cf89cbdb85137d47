import { type OwnPlace, createVirtualHost, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { userOf } from './trusted-users.js';
import { BusHarness, codeOf, echo, jobReady, perform } from '../bus-harness.conformance.js';

describe('what is on RabbitMQ', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let connection: ChannelModel;
  let channel: Channel;
  beforeEach(async () => {
    place = await createVirtualHost();
    harness = new BusHarness(place.url);
    connection = await connect(place.url);
    channel = await connection.createChannel();
    channel.on('error', () => undefined);
  });
  afterEach(async () => {
    await connection.close();
    await harness.close();
    await place.remove();
  });

  const sendRaw = (queue: string, body: string) =>
    channel.sendToQueue(queue, Buffer.from(body), { persistent: true, userId: userOf(place.url) });

  it('puts an event that is no JSON with the dead letters', async () => {
    await harness.eventServer({});
    const { deadLetters } = harness.client();

    sendRaw('glimpse.events.store-worker', '{"half":');
    await waitFor('the dead letter', async () => (await deadLetters.list(10)).length === 1);

    const [letter] = await deadLetters.list(10);
    expect(letter).toMatchObject({ body: '{"half":', queue: 'glimpse.events.store-worker', attempts: 1 });
    expect(letter!.id).not.toBe('');
  });

  it('survives requests that can not be read', async () => {
    await harness.rpcServer(echo, { prefetch: 1 });
    const { rpc } = harness.client();

    for (const body of ['', 'null', '{"calls":7}', '{"calls":[{"id":1}]}', '\u0000'])
      sendRaw('glimpse.registry', body);

    await expect(rpc.call(perform, { value: 1 })).resolves.toEqual({ value: 1 });
  });

  it('declares and consumes a queue again that was deleted', async () => {
    await harness.rpcServer(echo);
    const { rpc } = harness.client();
    await rpc.call(perform, { value: 1 });

    await channel.deleteQueue('glimpse.registry');

    await waitFor('the queue', async () => (await rpc.call(perform, { value: 1 })).value === 1);
    await expect(channel.checkQueue('glimpse.registry')).resolves.toMatchObject({ consumerCount: 1 });
  });

  it('rejects an event that a subscriber would not get', async () => {
    const { publisher } = harness.client();
    await publisher.publish(jobReady());
    await channel.deleteQueue('glimpse.events.store-worker');

    const code = await codeOf(publisher.publish(jobReady()));

    expect(code).toBe('BUS_UNAVAILABLE');
    await waitFor('the queue to be declared again', async () => {
      await publisher.publish(jobReady());
      return true;
    });
  });

  it('looks at dead letters as often as one likes without losing one', async () => {
    await harness.eventServer(
      {
        onService: () => {
          throw new Error('no');
        },
      },
      { eventAttempts: 1 },
    );
    const { publisher, deadLetters } = harness.client();
    const events = [jobReady(), jobReady(), jobReady()];
    for (const event of events) await publisher.publish(event);
    await waitFor('the dead letters', async () => (await deadLetters.list(10)).length === 3);

    for (let look = 0; look < 50; look += 1) await deadLetters.list(10);

    const ids = (await deadLetters.list(10)).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    await expect(deadLetters.list(2)).resolves.toHaveLength(2);
  });

  it('does not put back in our name what an earlier release refused', async () => {
    const { deadLetters, publisher } = harness.client();
    await publisher.publish(jobReady());
    const forged = {
      headers: { 'x-glimpse-queue': 'glimpse.events.store-worker', 'x-glimpse-refused': true },
      messageId: 'forged',
    };
    channel.publish('glimpse.dead-letters', '', Buffer.from('{}'), forged);
    await waitFor('the dead letter', async () => (await deadLetters.list(10)).length === 1);

    await expect(deadLetters.replay('all')).resolves.toEqual({
      replayed: 0,
      left: [{ id: 'forged', reason: expect.stringContaining('not trusted') }],
    });
    await expect(deadLetters.list(10)).resolves.toHaveLength(1);
  });

  it('keeps a dead letter whose queue is gone', async () => {
    const { deadLetters, publisher } = harness.client();
    await publisher.publish(jobReady());
    const lost = { headers: { 'x-glimpse-queue': 'glimpse.events.gone' }, messageId: 'lost' };
    channel.publish('glimpse.dead-letters', '', Buffer.from('{}'), lost);
    await waitFor('the dead letter', async () => (await deadLetters.list(10)).length === 1);

    await expect(deadLetters.replay('all')).resolves.toEqual({
      replayed: 0,
      left: [{ id: 'lost', reason: 'No queue takes glimpse.events.gone' }],
    });
    await expect(deadLetters.list(10)).resolves.toHaveLength(1);
  });
});
