import { TcpProxy, type OwnPlace, createVirtualHost, waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { imageEvents } from '@glimpse/contracts';
import {
  BusHarness,
  Gate,
  codeOf,
  echo,
  imageDeleted,
  jobReady,
  perform,
} from '../bus-harness.conformance.js';
import { announceUntil } from '../live-events.conformance.js';

describe('RabbitMQ bus on broken connections', () => {
  let place: OwnPlace;
  let proxy: TcpProxy;
  let harness: BusHarness;
  beforeEach(async () => {
    place = await createVirtualHost();
    proxy = new TcpProxy(new URL(place.url));
    await proxy.open();
    harness = new BusHarness(place.url);
  });
  afterEach(async () => {
    proxy.thaw();
    await harness.close();
    await proxy.close();
    await place.remove();
  });

  const isAnswered = async (call: () => Promise<unknown>) => (await codeOf(call())) === 'OK';

  it('rejects the calls that wait when the connection of their client is cut, and connects again', async () => {
    const gate = new Gate();
    let running = 0;
    await harness.rpcServer({
      perform: async (value) => {
        running += 1;
        await gate.opened;
        return value;
      },
    });
    const bus = harness.client({}, proxy.url);
    const calls = [1, 2, 3].map((value) => codeOf(bus.rpc.call(perform, { value }, { timeoutMs: 20_000 })));
    await waitFor('the calls to run', () => running === 3);
    const started = performance.now();

    proxy.cut();
    const codes = await Promise.all(calls);

    expect(codes).toEqual(['BUS_UNAVAILABLE', 'BUS_UNAVAILABLE', 'BUS_UNAVAILABLE']);
    expect(performance.now() - started).toBeLessThan(1_000);
    gate.open();
    await waitFor('the connection', () => bus.status.isConnected());
    expect(await codeOf(bus.rpc.call(perform, { value: 1 }))).toBe('OK');
  });

  it('refuses, and does not run twice, a call whose replica lost its connection', async () => {
    const gate = new Gate();
    const run: unknown[] = [];
    await harness.rpcServer(
      {
        perform: async (value) => {
          run.push(value);
          if (value === 'cut') await gate.opened;
        },
      },
      {},
      proxy.url,
    );
    const { rpc } = harness.client();
    const call = codeOf(rpc.call(perform, { value: 'cut' }, { timeoutMs: 20_000 }));
    await waitFor('the call to run', () => run.length === 1);

    proxy.cut();
    const code = await call;
    gate.open();
    await rpc.call(perform, { value: 'next' });

    expect(code).toBe('BUS_UNAVAILABLE');
    expect(run).toEqual(['cut', 'next']);
  });

  it('fails calls and events at once while the broker is gone, and works when it is back', async () => {
    await harness.rpcServer(echo, {}, proxy.url);
    const seen: string[] = [];
    await harness.eventServer({ onService: ({ id }) => seen.push(id) }, {}, proxy.url);
    const bus = harness.client({}, proxy.url);
    await bus.rpc.call(perform, { value: 1 });

    await proxy.close();
    await waitFor('the loss to be noticed', () => !bus.status.isConnected());
    const started = performance.now();
    const codes = [
      await codeOf(bus.rpc.call(perform, { value: 1 })),
      await codeOf(bus.publisher.publish(jobReady())),
    ];
    const tookMs = performance.now() - started;
    const sinceMs = bus.status.connectedSinceMs();
    await proxy.open();
    await waitFor('answers', () => isAnswered(() => bus.rpc.call(perform, { value: 1 })));
    const event = jobReady();
    await bus.publisher.publish(event);
    await waitFor('the event', () => seen.length > 0);

    expect(codes).toEqual(['BUS_UNAVAILABLE', 'BUS_UNAVAILABLE']);
    expect(tookMs).toBeLessThan(500);
    expect(sinceMs).toBeNull();
    expect(seen).toEqual([event.id]);
  });

  it('lets no call hang past its timeout when the broker does', async () => {
    await harness.rpcServer(echo);
    const bus = harness.client({}, proxy.url);
    await bus.rpc.call(perform, { value: 1 });
    proxy.freeze();
    const started = performance.now();

    const codes = await Promise.all(
      Array.from({ length: 500 }, () => codeOf(bus.rpc.call(perform, { value: 1 }, { timeoutMs: 300 }))),
    );

    expect(new Set(codes)).toEqual(new Set(['RPC_TIMEOUT']));
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('rejects an event that was on its way when the connection broke', async () => {
    const bus = harness.client({}, proxy.url);
    await bus.publisher.publish(imageDeleted());
    proxy.freeze();
    const published = codeOf(bus.publisher.publish(jobReady()));

    proxy.cut();

    expect(await published).toBe('BUS_UNAVAILABLE');
  });

  it('loses no event while connections break again and again', async () => {
    const seen = new Set<string>();
    await harness.eventServer({ onService: ({ id }) => void seen.add(id) }, {}, proxy.url);
    const bus = harness.client({}, proxy.url);
    const events = Array.from({ length: 200 }, () => jobReady());

    for (const [index, event] of events.entries()) {
      if (index % 50 === 25) proxy.cut();
      await waitFor('a confirm', () => isAnswered(() => bus.publisher.publish(event)));
    }
    await waitFor('all events', () => seen.size === events.length);

    expect(events.every(({ id }) => seen.has(id))).toBe(true);
  });

  it('starts before its broker', async () => {
    await proxy.close();
    const starting = harness.rpcServer(echo, {}, proxy.url);
    const bus = harness.client({}, proxy.url);
    const call = codeOf(bus.rpc.call(perform, { value: 1 }));

    await proxy.open();
    await starting;

    expect(['OK', 'BUS_UNAVAILABLE']).toContain(await call);
    await waitFor('answers', () => isAnswered(() => bus.rpc.call(perform, { value: 1 })));
  });

  it('delivers events for each instance again after a new connection', async () => {
    const seen: string[] = [];
    const { strategy } = await harness.eventServer(
      { onInstance: ({ payload }) => seen.push(payload.imageId) },
      {},
      proxy.url,
    );
    const { publisher } = harness.client();

    proxy.cut();
    await waitFor('the loss to be noticed', () => !strategy.isConnected());
    await waitFor('the connection', () => strategy.isConnected());
    await publisher.publish(imageDeleted('after'));
    await waitFor('the event', () => seen.length > 0);

    expect(seen).toEqual(['after']);
  });

  it('goes on with live events after their connection was cut', async () => {
    const bus = harness.client({}, proxy.url);
    const seen: string[] = [];
    bus.live.listen(imageEvents.deleted, ({ subject }) => seen.push(subject));
    await announceUntil(harness.client(), (id) => seen.includes(id));

    proxy.cut();

    expect(seen).toContain(await announceUntil(harness.client(), (id) => seen.includes(id)));
  });
});
