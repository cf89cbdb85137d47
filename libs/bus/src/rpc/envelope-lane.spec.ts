import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigSchema } from '@glimpse/config';
import type { ClientLink, OutgoingEnvelope } from '../transport.js';
import { ENVELOPE_HOLD_MS, EnvelopeLane } from './envelope-lane.js';
import { PendingCall } from './pending-call.js';

type Sent = OutgoingEnvelope & { calls: number[] };

class FakeLink implements Pick<ClientLink, 'isWritable' | 'send'> {
  readonly sent: Sent[] = [];
  canWrite = true;

  isWritable(): boolean {
    return this.canWrite;
  }

  send(envelope: OutgoingEnvelope): void {
    const { calls } = JSON.parse(envelope.body) as { calls: { id: number }[] };
    this.sent.push({ ...envelope, calls: calls.map(({ id }) => id) });
  }
}

interface Options {
  envelopesInFlight?: number;
  maxCallsPerEnvelope?: number;
  maxEnvelopeBytes?: number;
}

class Bench {
  readonly link = new FakeLink();
  readonly failures: unknown[] = [];
  private readonly lane: EnvelopeLane;
  private lastId = 0;
  private lastEnvelope = 0;

  constructor(options: Options = {}) {
    const bus = { service: 'test', options: { ...ConfigSchema.parse({}).bus, ...options } };
    this.lane = new EnvelopeLane('queue', this.link as unknown as ClientLink, bus, () =>
      String((this.lastEnvelope += 1)),
    );
  }

  call({ bytes = 20, timeoutMs = 60_000 } = {}): PendingCall {
    const id = (this.lastId += 1);
    const text = `{"id":${id}}`.padEnd(bytes, ' ');
    const call = new PendingCall(id, text, Date.now() + timeoutMs, timeoutMs, 'test', undefined, {
      over: () => undefined,
      resolve: () => undefined,
      reject: (error) => this.failures.push(error),
    });
    this.lane.add(call);
    return call;
  }

  calls(count: number, options?: { bytes?: number }): PendingCall[] {
    return Array.from({ length: count }, () => this.call(options));
  }

  writable(): void {
    this.link.canWrite = true;
    this.lane.scheduleFlush();
  }

  get sentCalls(): number[][] {
    return this.link.sent.map(({ calls }) => calls);
  }
}

const answer = (calls: PendingCall[]) => calls.forEach((call) => call.resolve(null));

describe('an envelope lane', () => {
  // The hold of an envelope passes when a test says so, however slow the machine is.
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sends calls of the same turn together, at once', async () => {
    const bench = new Bench();

    const calls = bench.calls(3);
    await turn();

    expect(bench.sentCalls).toEqual([[1, 2, 3]]);
    answer(calls);
  });

  it('gathers while enough envelopes are unanswered, and sends when all calls of one are answered', async () => {
    const bench = new Bench({ envelopesInFlight: 2 });
    const first = bench.calls(2);
    await turn();
    const second = bench.calls(1);
    await turn();
    const gathered = bench.calls(3);
    await turn();

    first[0]!.resolve(null);
    await turn();
    const before = bench.sentCalls.length;
    first[1]!.resolve(null);
    await turn();

    expect(before).toBe(2);
    expect(bench.sentCalls).toEqual([[1, 2], [3], [4, 5, 6]]);
    answer([...second, ...gathered]);
  });

  it('is not held up for long by a call that is not answered', async () => {
    const bench = new Bench({ envelopesInFlight: 1 });
    const slow = bench.call();
    await turn();
    const next = bench.call();

    jest.advanceTimersByTime(ENVELOPE_HOLD_MS);
    await turn();
    await turn();

    expect(bench.sentCalls).toEqual([[1], [2]]);
    answer([slow, next]);
  });

  it('puts no more into an envelope than its bounds allow, but a large call alone', async () => {
    const bench = new Bench({ envelopesInFlight: 10, maxCallsPerEnvelope: 3, maxEnvelopeBytes: 100 });

    const calls = [...bench.calls(4), ...bench.calls(3, { bytes: 60 }), ...bench.calls(1, { bytes: 500 })];
    await turn();

    expect(bench.sentCalls).toEqual([[1, 2, 3], [4, 5], [6], [7], [8]]);
    answer(calls);
  });

  it('lets an envelope expire with its tightest call', async () => {
    const bench = new Bench();

    const calls = [bench.call({ timeoutMs: 4_000 }), bench.call({ timeoutMs: 2_500 })];
    await turn();

    const [{ expirationMs }] = bench.link.sent as [Sent];
    expect(expirationMs).toBeGreaterThan(2_000);
    expect(expirationMs).toBeLessThanOrEqual(2_500);
    answer(calls);
  });

  it('sends nothing while the link takes nothing, and never what is over by then', async () => {
    const bench = new Bench();
    bench.link.canWrite = false;
    const [first, second] = bench.calls(2);
    await turn();
    first!.reject(new Error('gave up'));

    bench.writable();
    await turn();

    expect(bench.sentCalls).toEqual([[2]]);
    answer([second!]);
  });

  it('fails the calls of an envelope that can not be sent, and goes on with the next', async () => {
    const bench = new Bench({ envelopesInFlight: 1 });
    const send = bench.link.send.bind(bench.link);
    bench.link.send = () => {
      throw new Error('closed');
    };
    bench.calls(2);
    await turn();
    bench.link.send = send;

    const next = bench.call();
    await turn();
    await turn();

    expect(bench.failures).toMatchObject([{ code: 'BUS_UNAVAILABLE' }, { code: 'BUS_UNAVAILABLE' }]);
    expect(bench.sentCalls).toEqual([[3]]);
    answer([next]);
  });
});
