import { randomUUID } from 'node:crypto';
import { type OwnPlace, createUser, createVirtualHost, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Channel, connect } from 'amqplib';
import { imageEvents } from '@glimpse/contracts';
import { announceUntil } from '../live-events.conformance.js';
import { BusHarness, codeOf, echo, imageDeleted, jobReady, perform } from '../bus-harness.conformance.js';
import { declareTopology } from '../declare-topology.js';
import { type BusUser, permissionsOf, trustedBy } from '../permissions.js';
import { userOf } from './trusted-users.js';

const users = Object.keys(trustedBy) as BusUser[];

describe('with the least rights for each service', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let places: Record<BusUser, OwnPlace>;
  beforeEach(async () => {
    place = await createVirtualHost();
    harness = new BusHarness(place.url);
    await declareTopology(harness.options('manage'));
    const created = users.map(
      async (user) => [user, await createUser(place.url, permissionsOf(user))] as const,
    );
    places = Object.fromEntries(await Promise.all(created)) as typeof places;
  });
  afterEach(async () => {
    await harness.close();
    await Promise.all(Object.values(places).map((user) => user.remove()));
    await place.remove();
  });

  const nameOf = (user: BusUser) => userOf(places[user].url);
  const trusting = (user: BusUser) => ({ declare: false, trustedUsers: trustedBy[user].map(nameOf) });
  const logged = (msg: string) => harness.logged.filter((line) => line.msg === msg);

  /** What the broker says to what `use` does as `url`'s user: OK, or the reply code of its refusal. */
  const attempt = async (url: string, use: (channel: Channel) => unknown): Promise<string> => {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    const refused = new Promise<string>((resolve) => {
      channel.on('error', (error: { code?: number }) => resolve(String(error.code)));
      connection.on('error', () => undefined);
    });
    const done = (async () => {
      await use(channel);
      // Whatever was refused before this is known after it.
      await channel.checkExchange('glimpse.events');
      return 'OK';
    })();
    const outcome = await Promise.race([refused, done.catch(() => refused)]);
    await connection.close();
    return outcome;
  };

  it('calls are answered, events arrive, fail and come again, dead letters are put back', async () => {
    const seen: string[] = [];
    let isBroken = true;
    await harness.rpcServer(echo, trusting('registry'), places.registry.url);
    await harness
      .eventServer(
        {
          onService: ({ id }) => {
            if (isBroken) throw new Error('not yet');
            seen.push(id);
          },
          onInstance: ({ id }) => seen.push(id),
        },
        trusting('store-worker'),
        places['store-worker'].url,
      )
      .catch((error: unknown) => {
        throw error;
      });
    const gateway = harness.client(trusting('api-gateway'), places['api-gateway'].url);
    const registry = harness.client(trusting('registry'), places.registry.url);
    const manage = harness.client(trusting('manage'), places.manage.url);
    const [event, hint] = [jobReady(), imageDeleted()];

    await expect(gateway.rpc.call(perform, { value: 1 })).resolves.toEqual({ value: 1 });
    await registry.publisher.publish(event);
    await registry.publisher.publish(hint);
    await waitFor('the hint', () => seen.includes(hint.id));
    await waitFor('the dead letter', async () => (await manage.deadLetters.list(10)).length === 1);
    isBroken = false;
    await expect(manage.deadLetters.replay('all')).resolves.toMatchObject({ replayed: 1 });
    await waitFor('the event', () => seen.includes(event.id));
    expect(logged('refused a message of the bus')).toEqual([]);
  });

  it('a gateway listens to the live events of the registry', async () => {
    const gateway = harness.client(trusting('api-gateway'), places['api-gateway'].url);
    const registry = harness.client(trusting('registry'), places.registry.url);
    const seen: string[] = [];

    const stop = gateway.live.listen(imageEvents.deleted, ({ subject }) => seen.push(subject));

    expect(seen).toContain(await announceUntil(registry, (id) => seen.includes(id)));
    stop();
    expect(logged('live events can not be listened to')).toEqual([]);
  });

  it.each<[BusUser, string, (channel: Channel) => unknown]>([
    [
      'api-gateway',
      'publishing an event',
      (channel) => channel.publish('glimpse.events', 'job.ready', Buffer.from('{}')),
    ],
    [
      'api-gateway',
      'taking the calls of others',
      (channel) => channel.consume('glimpse.registry', () => undefined),
    ],
    ['api-gateway', 'reading dead letters', (channel) => channel.get('glimpse.dead-letters')],
    ['api-gateway', 'emptying a queue', (channel) => channel.purgeQueue('glimpse.registry')],
    ['api-gateway', 'deleting a queue', (channel) => channel.deleteQueue('glimpse.registry')],
    ['api-gateway', 'making a queue', (channel) => channel.assertQueue(`glimpse.mine.${randomUUID()}`)],
    [
      'api-gateway',
      'making a queue in the name of another service',
      (channel) => channel.assertQueue('glimpse.events.registry.registry-1', { exclusive: true }),
    ],
    [
      'api-gateway',
      'binding the queue of another',
      (channel) => channel.bindQueue('glimpse.events.store-worker', 'glimpse.events', '#'),
    ],
    [
      'store-worker',
      'publishing an event',
      (channel) => channel.publish('glimpse.events', 'image.deleted', Buffer.from('{}')),
    ],
    [
      'store-worker',
      'taking the calls of the registry',
      (channel) => channel.consume('glimpse.registry', () => undefined),
    ],
    ['store-worker', 'reading dead letters', (channel) => channel.get('glimpse.dead-letters')],
    [
      'registry',
      'taking the events of a worker',
      (channel) => channel.consume('glimpse.events.store-worker', () => undefined),
    ],
    ['registry', 'deleting an exchange', (channel) => channel.deleteExchange('glimpse.events')],
    [
      'manage',
      'calling a service',
      (channel) => channel.publish('glimpse.calls', 'glimpse.registry', Buffer.from('{}')),
    ],
    ['manage', 'taking calls', (channel) => channel.consume('glimpse.registry', () => undefined)],
    [
      'compute',
      'calling a service',
      (channel) => channel.publish('glimpse.calls', 'glimpse.registry', Buffer.from('{}')),
    ],
    [
      'compute',
      'writing into a queue past the exchange',
      (channel) => channel.sendToQueue('glimpse.snapshots.requests', Buffer.from('{}')),
    ],
    [
      'compute',
      'announcing an event',
      (channel) => channel.publish('glimpse.events', 'snapshot.completed', Buffer.from('{}')),
    ],
    [
      'compute',
      'taking the requests of others',
      (channel) => channel.consume('glimpse.snapshots.requests', () => undefined),
    ],
    ['compute', 'deleting the exchange', (channel) => channel.deleteExchange('glimpse.snapshots')],
    [
      'compute',
      'listening to the events of others',
      async (channel) => {
        const { queue } = await channel.assertQueue('', { exclusive: true });
        await channel.bindQueue(queue, 'glimpse.events', 'image.#');
      },
    ],
    [
      'compute-oslo',
      'writing into a queue past the exchange',
      (channel) => channel.sendToQueue('glimpse.snapshots.requests', Buffer.from('{}')),
    ],
  ])('refuses the %s %s', async (user, _what, use) => {
    await expect(attempt(places[user].url, use)).resolves.toBe('403');
  });

  it('lets nobody publish in the name of another', async () => {
    const forge = (channel: Channel) =>
      channel.publish('glimpse.calls', 'glimpse.registry', Buffer.from('{}'), { userId: nameOf('registry') });

    await expect(attempt(places['api-gateway'].url, forge)).resolves.toBe('406');
  });

  it('refuses the calls of a user whom the service does not trust, and says who it is', async () => {
    const run: unknown[] = [];
    await harness.rpcServer({ perform: (value) => run.push(value) }, { declare: false }, places.registry.url);
    const { rpc } = harness.client(trusting('api-gateway'), places['api-gateway'].url);

    await expect(codeOf(rpc.call(perform, { value: 1 }))).resolves.toBe('BUS_UNAVAILABLE');

    expect(run).toEqual([]);
    expect(logged('refused a message of the bus')).toEqual([
      expect.objectContaining({ kind: 'request', reason: expect.stringContaining(nameOf('api-gateway')) }),
    ]);
  });

  it('puts the events of a user whom the service does not trust with the dead letters, for good', async () => {
    const seen: string[] = [];
    await harness.eventServer(
      { onService: ({ id }) => seen.push(id) },
      trusting('store-worker'),
      places['store-worker'].url,
    );
    const { publisher, deadLetters } = harness.client();
    const forged = jobReady();

    await publisher.publish(forged);
    await waitFor('the dead letter', async () => (await deadLetters.list(10)).length === 1);

    const [letter] = await deadLetters.list(10);
    expect(letter).toMatchObject({ id: forged.id, reason: expect.stringContaining(userOf(place.url)) });
    await expect(deadLetters.replay('all')).resolves.toMatchObject({
      replayed: 0,
      left: [{ id: forged.id, reason: expect.stringContaining('bus.trusted_users') }],
    });
    expect(seen).toEqual([]);
    let isRefused: unknown;
    await attempt(place.url, async (channel) => {
      const message = await channel.get('glimpse.dead-letters');
      isRefused = message && message.properties.headers?.['x-glimpse-refused'];
    });
    // What the replay of earlier releases looks at.
    expect(isRefused).toBe(true);
  });

  it('refuses messages of which nobody knows the publisher', async () => {
    const run: unknown[] = [];
    await harness.rpcServer(
      { perform: (value) => run.push(value) },
      { ...trusting('registry'), prefetch: 1 },
      places.registry.url,
    );
    const call = {
      id: 1,
      pattern: perform.pattern,
      deadline: Date.now() + 60_000,
      request: { value: 'forged' },
    };
    const body = Buffer.from(JSON.stringify({ calls: [call] }));

    await attempt(places['api-gateway'].url, (channel) =>
      channel.publish('glimpse.calls', 'glimpse.registry', body),
    );
    const { rpc } = harness.client(trusting('api-gateway'), places['api-gateway'].url);
    await rpc.call(perform, { value: 'real' });

    expect(run).toEqual(['real']);
  });

  it('answers nowhere but where a caller waits for it', async () => {
    await harness.rpcServer(echo, { ...trusting('registry'), prefetch: 1 }, places.registry.url);
    const call = { id: 1, pattern: perform.pattern, deadline: Date.now() + 60_000, request: {} };
    const body = Buffer.from(JSON.stringify({ calls: [call] }));

    await attempt(places['api-gateway'].url, (channel) =>
      channel.publish('glimpse.calls', 'glimpse.registry', body, {
        replyTo: 'glimpse.dead-letters',
        userId: nameOf('api-gateway'),
      }),
    );
    const { rpc } = harness.client(trusting('api-gateway'), places['api-gateway'].url);
    await rpc.call(perform, { value: 1 });

    await expect(harness.client().deadLetters.list(10)).resolves.toEqual([]);
  });

  it('says what is missing where nobody has declared it', async () => {
    const empty = await createVirtualHost();
    try {
      const bus = harness.client({ declare: false }, empty.url);
      await expect(codeOf(bus.rpc.call(perform, { value: 1 }))).resolves.toBe('BUS_UNAVAILABLE');
      expect(harness.logged.map((line) => line.err?.message)).toContainEqual(
        expect.stringContaining(
          'There is no exchange glimpse.dead-letters: have it made with `glimpse-manage bus declare`',
        ),
      );
      await declareTopology({ ...harness.options('manage'), url: empty.url });
      await waitFor('the connection', () => bus.status.isConnected());
    } finally {
      await empty.remove();
    }
  });
});
