import { randomUUID } from 'node:crypto';
import {
  ComputeHost,
  type OwnPlace,
  createUser,
  createVirtualHost,
  cutConnections,
  waitFor,
} from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { BusHarness } from '../bus-harness.conformance.js';
import { declareTopology } from '../declare-topology.js';
import type { ForeignRequest, ForeignRequests } from '../foreign-requests.js';
import { createForeignRequests } from '../open-foreign-requests.js';
import { permissionsOf } from '../permissions.js';
import { userOf } from './trusted-users.js';

describe('requests of compute on RabbitMQ', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let taken: ForeignRequest[];
  const ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    place = await createVirtualHost();
    harness = new BusHarness(place.url);
    taken = [];
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    await harness.close();
    await place.remove();
  });

  /** A gateway that leaves what it does with a request to the test. */
  const gateway = async (
    take: (request: ForeignRequest) => void = (request) => taken.push(request),
    { url = place.url, prefetch = 8, declare = true, hasTransientExchange = false } = {},
  ): Promise<ForeignRequests> => {
    const requests = createForeignRequests({
      ...harness.options('api-gateway', { declare }, url),
      requests: { prefetch, maxBodyBytes: 1_000, hasTransientExchange },
    });
    ends.push(() => requests.close());
    requests.open(take);
    await waitFor('the connection', () => requests.isConnected());
    return requests;
  };
  const compute = async (url = place.url) => {
    const host = await ComputeHost.open(url);
    ends.push(() => host.close());
    return host;
  };
  const bodies = () => taken.map(({ body }) => body.toString());

  it('hands out what is published in its order, no more at once than it may', async () => {
    await gateway(undefined, { prefetch: 2 });
    const host = await compute();

    for (const body of ['1', '2', '3', '4']) await host.send(body);
    await waitFor('the first two', () => taken.length === 2);
    expect(bodies()).toEqual(['1', '2']);
    for (const request of taken.slice()) request.done();
    await waitFor('the others', () => taken.length === 4);

    expect(bodies()).toEqual(['1', '2', '3', '4']);
    expect(taken[0]).toMatchObject({ publisher: userOf(place.url), attempt: 1, replyTo: host.replyQueue });
  });

  it('hands out again what was not acknowledged, after a lost connection and to another gateway', async () => {
    const first = await gateway();
    const host = await compute();
    await host.send('kept');
    await waitFor('the delivery', () => taken.length === 1);

    await cutConnections(place.url);
    await waitFor('the second delivery', () => taken.length === 2);
    expect(taken[1]?.redeliveries).toBe(1);
    await first.close();
    await gateway();

    await waitFor('the third delivery', () => taken.length === 3);
    taken[2]?.done();
    expect(bodies()).toEqual(['kept', 'kept', 'kept']);
  });

  it('brings a request back after a pause as it was, and serves others meanwhile', async () => {
    await gateway(
      (request) => {
        taken.push(request);
        if (request.body.toString() === 'later' && request.attempt === 1) void request.retry();
        else request.done();
      },
      { prefetch: 1 },
    );
    const host = await compute();

    const correlationId = await host.send('later', { expiration: 60_000 });
    await host.send('other');

    await waitFor('all deliveries', () => taken.length === 3);
    expect(bodies()).toEqual(['later', 'other', 'later']);
    expect(taken[2]).toMatchObject({
      attempt: 2,
      correlationId,
      replyTo: host.replyQueue,
      publisher: userOf(place.url),
    });
    // The time that its publisher waits is not begun anew.
    expect(Math.abs((taken[2]?.deadline ?? 0) - (taken[0]?.deadline ?? 0))).toBeLessThan(1_000);
  });

  it('buries what it is told to, with the reason, and puts it back when the operator says so', async () => {
    await gateway();
    const host = await compute();
    const { deadLetters } = harness.client();
    const correlationId = await host.send('secret');
    await waitFor('the delivery', () => taken.length === 1);

    await taken[0]?.bury('it is broken', Buffer.from('kept'), null);

    await expect(deadLetters.list(10)).resolves.toMatchObject([
      { reason: 'it is broken', body: 'kept', queue: 'glimpse.snapshots.requests', attempts: 1 },
    ]);
    await expect(deadLetters.replay('all')).resolves.toEqual({ replayed: 1, left: [] });
    await waitFor('the replay', () => taken.length === 2);
    expect(taken[1]).toMatchObject({ correlationId, replyTo: host.replyQueue, publisher: userOf(place.url) });
  });

  it('does not put back what is not kept as it was, and says why', async () => {
    await gateway();
    const host = await compute();
    const { deadLetters } = harness.client();
    await host.send('secret', { messageId: 'm1' });
    await waitFor('the delivery', () => taken.length === 1);

    await taken[0]?.bury('it is broken', Buffer.from('***'), 'its token is not kept');

    const left = [{ id: 'm1', reason: 'its token is not kept' }];
    await expect(deadLetters.replay({ ids: ['m1'] })).resolves.toEqual({ replayed: 0, left });
    await expect(deadLetters.replay('all')).resolves.toEqual({ replayed: 0, left });
    await expect(deadLetters.list(10)).resolves.toMatchObject([{ notReplayable: 'its token is not kept' }]);
  });

  it('believes nobody else who says in whose name a message comes', async () => {
    await gateway();
    const other = await createUser(place.url, permissionsOf('compute'));
    ends.push(() => other.remove());
    const host = await compute(other.url);

    await host.send('forged', { headers: { 'x-glimpse-publisher': 'nova', 'x-glimpse-attempt': 7 } });
    await waitFor('the delivery', () => taken.length === 1);

    expect(taken[0]).toMatchObject({ publisher: userOf(other.url), attempt: 1 });
  });

  it('says whether a reply has found its queue', async () => {
    const requests = await gateway();
    const host = await compute();
    const reply = { exchange: '', correlationId: 'c', type: 'snapshot.reply', body: '{"n":1}' };

    await expect(requests.reply({ ...reply, routingKey: host.replyQueue })).resolves.toBe(true);
    await expect(requests.reply({ ...reply, routingKey: 'gone' })).resolves.toBe(false);

    await waitFor('the reply', () => host.repliesTo('c').length === 1);
    expect(host.replies[0]?.body).toEqual({ n: 1 });
  });

  it('works with the least rights: requests, replies, retries, dead letters, and events of snapshots', async () => {
    await declareTopology(harness.options('manage'));
    const users = await Promise.all(
      (['api-gateway', 'compute'] as const).map((user) => createUser(place.url, permissionsOf(user))),
    );
    ends.push(...users.map((user) => () => user.remove()));
    const [edge, node] = users;
    const requests = await gateway(undefined, {
      url: edge!.url,
      declare: false,
      hasTransientExchange: true,
    });
    const host = await compute(node!.url);
    const { queue } = await host.channel.assertQueue(`glimpse.snapshots.replies.${randomUUID()}`, {
      exclusive: true,
    });
    await host.channel.bindQueue(queue, 'glimpse.events', 'snapshot.#');

    const correlationId = await host.send('1');
    await waitFor('the delivery', () => taken.length === 1);
    await taken[0]?.retry();
    await waitFor('the retry', () => taken.length === 2);
    expect(taken[1]).toMatchObject({ attempt: 2, publisher: userOf(node!.url) });
    const reply = { exchange: '', type: 'snapshot.reply', body: '{}', correlationId };
    await expect(requests.reply({ ...reply, routingKey: host.replyQueue })).resolves.toBe(true);
    await taken[1]?.bury('done with', Buffer.from('{}'), null);

    await expect(harness.client().deadLetters.list(10)).resolves.toHaveLength(1);
    await host.replyTo(correlationId);
  });

  it('takes requests from the exchange that is not durable, and stops when it is told to', async () => {
    const requests = await gateway(undefined, { hasTransientExchange: true });
    const connection = await connect(place.url);
    ends.push(() => connection.close());
    const channel = await connection.createConfirmChannel();
    channel.publish('glimpse.snapshots.transient', 'any', Buffer.from('1'));
    await waitFor('the delivery', () => taken.length === 1);

    await requests.stopConsuming();
    channel.publish('glimpse.snapshots.transient', 'any', Buffer.from('2'));
    await channel.waitForConfirms();
    taken[0]?.done();
    await requests.close();

    const left = async () => (await channel.checkQueue('glimpse.snapshots.requests')).messageCount;
    await waitFor('what is left', async () => (await left()) === 1);
    expect(bodies()).toEqual(['1']);
  });
});
