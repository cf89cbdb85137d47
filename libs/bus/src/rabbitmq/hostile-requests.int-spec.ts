import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type OwnPlace, createVirtualHost, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChannelModel, type Options, connect } from 'amqplib';
import { BusHarness } from '../bus-harness.conformance.js';
import type { ForeignRequest, ForeignRequests } from '../foreign-requests.js';
import { createForeignRequests } from '../open-foreign-requests.js';

/** Puts bytes on the wire that no client library would send: in place of others that are as many. */
function replaceOnTheWire(model: ChannelModel, placeholder: Buffer, bytes: Buffer): void {
  const { stream } = model.connection as unknown as { stream: { write(data: Buffer): boolean } };
  const write = stream.write.bind(stream);
  stream.write = (data) => {
    const at = data.indexOf(placeholder);
    if (at >= 0) bytes.copy(data, at);
    return write(data);
  };
}

/** Bytes in buffers that somebody still holds. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().arrayBuffers;
}

/** A process of Erlang that is none, on a node that the broker never heard of. */
const FORGED = Buffer.concat([
  Buffer.from([131, 88, 119, 7]),
  Buffer.from('reply@1'),
  Buffer.alloc(12, 1),
]).toString('base64');

/** The value of a header: a list in a list in a list. */
function nested(depth: number): Buffer {
  const value = Buffer.alloc(depth * 5);
  for (let level = 0; level < depth; level++) {
    value.write('A', level * 5, 'latin1');
    value.writeUInt32BE((depth - level - 1) * 5, level * 5 + 1);
  }
  return value;
}

describe('requests with hostile properties', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let publisher: ChannelModel;
  let requests: ForeignRequests;
  let take: (request: ForeignRequest) => Promise<void> | void;

  beforeEach(async () => {
    place = await createVirtualHost();
    harness = new BusHarness(place.url);
    requests = createForeignRequests({
      ...harness.options('api-gateway', { declare: true }, place.url),
      requests: { prefetch: 16, maxBodyBytes: 1_000, hasTransientExchange: false },
    });
    requests.open((request) => void Promise.resolve(take(request)).catch(() => undefined));
    await waitFor('the connection', () => requests.isConnected());
    publisher = await connect(place.url);
    publisher.on('error', () => undefined);
  });
  afterEach(async () => {
    await publisher.close().catch(() => undefined);
    await requests.close();
    await harness.close();
    await place.remove();
  });

  const send = async (body: string, options: Options.Publish) => {
    const channel = await publisher.createConfirmChannel();
    channel.publish('glimpse.snapshots', '', Buffer.from(body), options);
    await channel.waitForConfirms();
    await channel.close();
  };

  it.each(['correlationId', 'replyTo', 'messageId'] as const)(
    'puts aside and buries a request whose %s is no text',
    async (property) => {
      const taken: string[] = [];
      take = async (request) => {
        taken.push(`${request.body.toString()} ${request.attempt}`);
        if (request.body.toString() === 'next') return request.done();
        return request.attempt === 1 ? request.retry() : request.bury('broken', Buffer.from('{}'), null);
      };
      const placeholder = Buffer.from('#'.repeat(200));
      replaceOnTheWire(publisher, placeholder, Buffer.alloc(200, 0xff));

      await send('hostile', { [property]: placeholder.toString() });
      await send('next', {});

      const { deadLetters } = harness.client();
      await waitFor('the dead letter', async () => (await deadLetters.list(2)).length === 1, 20_000);
      expect(taken).toEqual(['hostile 1', 'next 1', 'hostile 2']);
    },
  );

  it('is not blocked by headers that are nested without end', async () => {
    const taken: string[] = [];
    take = (request) => {
      taken.push(request.body.toString());
      request.done();
    };
    const value = nested(13_000);
    const filler = '#'.repeat(value.length - 5);
    const placeholder = Buffer.alloc(value.length);
    placeholder.write('S', 0);
    placeholder.writeUInt32BE(filler.length, 1);
    placeholder.write(filler, 5);
    replaceOnTheWire(publisher, placeholder, value);

    await send('hostile', { headers: { deep: filler } });
    await send('next', {});

    await waitFor('the next', () => taken.includes('next'), 40_000);
  });

  it('passes on what has as many headers as the broker takes', async () => {
    const taken: string[] = [];
    take = async (request) => {
      taken.push(`${request.body.toString()} ${request.attempt}`);
      if (request.attempt === 1 && request.body.toString() === 'large') return request.retry();
      request.done();
    };

    await send('large', { headers: { traceparent: 't'.repeat(65_000) } });
    await send('next', {});

    await waitFor('both', () => taken.includes('large 2') && taken.includes('next 1'), 20_000);
  });

  it('does not hold long bodies in memory', async () => {
    const taken: ForeignRequest[] = [];
    take = (request) => void taken.push(request);
    const megabytes = 10;
    const body = Buffer.alloc(megabytes * 2 ** 20);
    const before = memoryInUse();

    const channel = await publisher.createConfirmChannel();
    for (let sent = 0; sent < 8; sent++) channel.publish('glimpse.snapshots', '', body);
    await channel.waitForConfirms();
    await channel.close();
    await waitFor('the requests', () => taken.length === 8);

    expect(taken.map((request) => request.body.length)).toEqual(Array<number>(8).fill(1_001));
    await waitFor('the memory to be free', () => memoryInUse() - before < 3 * body.length, 10_000);
  });

  it('takes nothing for the number of deliveries that is no number', async () => {
    const taken: ForeignRequest[] = [];
    take = (request) => {
      taken.push(request);
      request.done();
    };

    await send('in hand', { headers: { 'x-delivery-count': { toString: 'no', valueOf: 'no' } } });
    await waitFor('the request', () => taken.length > 0);

    expect(taken.map(({ redeliveries }) => redeliveries)).toEqual([0]);
  });

  it.each(['amq.rabbitmq.reply-to.g1h.AA', `amq.rabbitmq.reply-to.${FORGED}.QuzEDjjBnVXJQLNHLqpnkQ==`])(
    'sends no reply to %s, and takes no harm',
    async (routingKey) => {
      const taken: ForeignRequest[] = [];
      take = (request) => void taken.push(request);
      await send('in hand', {});
      await waitFor('the request', () => taken.length === 1);
      const reply = { exchange: '', correlationId: 'c', type: 'snapshot.reply', body: '{}' };

      await expect(requests.reply({ ...reply, routingKey })).resolves.toBe(false);

      taken[0]?.done();
      await send('next', {});
      await waitFor('the next', () => taken.length === 2);
      expect(taken.map(({ body, redeliveries }) => [body.toString(), redeliveries])).toEqual([
        ['in hand', 0],
        ['next', 0],
      ]);
    },
  );

  it('replies to those who wait without a queue', async () => {
    const addresses: (string | null)[] = [];
    take = (request) => {
      addresses.push(request.replyTo);
      request.done();
    };
    const waiting = await publisher.createConfirmChannel();
    const replies: string[] = [];
    const direct = 'amq.rabbitmq.reply-to';
    await waiting.consume(direct, (reply) => void replies.push(String(reply?.content)), { noAck: true });
    waiting.publish('glimpse.snapshots', '', Buffer.from('ask'), { replyTo: direct });
    await waitFor('the request', () => addresses.length === 1);
    const reply = { exchange: '', routingKey: addresses[0] ?? '', correlationId: 'c', type: 't', body: '{}' };

    await expect(requests.reply(reply)).resolves.toBe(true);
    await waitFor('the reply', () => replies.length === 1);
    await waiting.close();

    // Nobody is told that nobody waits any more.
    await expect(requests.reply(reply)).resolves.toBe(true);
  });
});
