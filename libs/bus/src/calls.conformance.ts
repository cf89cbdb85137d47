import { type ErrorCode, ServiceError } from '@glimpse/contracts';
import { currentContext, runInContext, traceparentFrom } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { type BusHarness, Gate, perform, performStrictly, unknownCall } from './bus-harness.conformance.js';

const echo = { perform: (value: unknown) => value };

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'OK',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );

/** What calls promise. */
export function describeCalls(harness: () => BusHarness): void {
  describe('a call', () => {
    it('is answered with what its handler returns', async () => {
      await harness().rpcServer(echo);
      const { rpc } = harness().client();

      await expect(rpc.call(perform, { value: { text: 'ü', list: [1, null] } })).resolves.toEqual({
        value: { text: 'ü', list: [1, null] },
      });
    });

    it('shares no object with its handler', async () => {
      const kept: { list: number[] }[] = [];
      await harness().rpcServer({
        perform: (value) => {
          const received = value as { list: number[] };
          received.list.push(2);
          kept.push(received);
          return received;
        },
      });
      const sent = { list: [1] };

      const { value } = await harness().client().rpc.call(perform, { value: sent });
      (value as typeof sent).list.push(3);

      expect(sent).toEqual({ list: [1] });
      expect(kept).toEqual([{ list: [1, 2] }]);
    });

    it('reaches one of several replicas, and all of them get some', async () => {
      const taken = [0, 0];
      for (const index of [0, 1])
        await harness().rpcServer({ perform: () => (taken[index] = taken[index]! + 1) }, { prefetch: 1 });
      const { rpc } = harness().client({ maxCallsPerEnvelope: 1 });

      await Promise.all(Array.from({ length: 100 }, (_, value) => rpc.call(perform, { value })));

      expect(taken[0]! + taken[1]!).toBe(100);
      expect(Math.min(...taken)).toBeGreaterThan(0);
    });

    it('carries two megabytes each way', async () => {
      await harness().rpcServer(echo);
      const value = 'x'.repeat(2_000_000);

      await expect(harness().client().rpc.call(perform, { value })).resolves.toEqual({ value });
    });

    it('is refused when it or its answer is larger than a message may be', async () => {
      await harness().rpcServer({ perform: (value) => 'x'.repeat(Number(value)) });
      const { rpc } = harness().client();

      expect(await codeOf(rpc.call(perform, { value: 'x'.repeat(16_000_000) }))).toBe('REQUEST_INVALID');
      expect(await codeOf(rpc.call(perform, { value: 16_000_000 }))).toBe('INTERNAL');
      expect(await codeOf(rpc.call(perform, { value: 1 }))).toBe('OK');
    });

    it('runs in the context of its caller', async () => {
      await harness().rpcServer({ perform: () => ({ ...currentContext() }) });
      const { rpc } = harness().client();
      const context = { requestId: 'req-1', traceparent: traceparentFrom(undefined) };

      const inside = await runInContext(context, () => rpc.call(perform, { value: 1 }));
      const outside = await rpc.call(perform, { value: 1 });

      expect(inside.value).toEqual(context);
      expect(outside.value).toEqual({ traceparent: expect.stringMatching(/^00-/) });
    });

    it('is one of ten thousand at once', async () => {
      await harness().rpcServer(echo);
      const { rpc } = harness().client();

      const answers = await Promise.all(
        Array.from({ length: 10_000 }, (_, value) => rpc.call(perform, { value }, { timeoutMs: 20_000 })),
      );

      expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 10_000 }, (_, value) => value));
    });

    it('is refused at once beyond the bound on waiting calls', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: () => gate.opened });
      const { rpc } = harness().client({ maxPendingCalls: 3 });

      const waiting = Array.from({ length: 3 }, () => rpc.call(perform, { value: 1 }));
      const refused = await codeOf(rpc.call(perform, { value: 1 }));
      gate.open();
      await Promise.all(waiting);

      expect(refused).toBe('BUS_UNAVAILABLE');
      expect(await codeOf(rpc.call(perform, { value: 1 }))).toBe('OK');
    });
  });

  describe('a call that fails', () => {
    it('rejects with the code, message and details of its handler', async () => {
      await harness().rpcServer({
        perform: () => {
          throw new ServiceError('IMAGE_NOT_FOUND', 'No image found', {
            details: { id: 'x' },
            cause: 'secret',
          });
        },
      });

      const error = await harness()
        .client()
        .rpc.call(perform, { value: 1 })
        .catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(ServiceError);
      expect(error).toMatchObject({
        code: 'IMAGE_NOT_FOUND',
        message: 'No image found',
        details: { id: 'x' },
      });
      expect(error).not.toHaveProperty('cause');
    });

    it('is INTERNAL when the code is of a newer release', async () => {
      await harness().rpcServer({
        perform: () => {
          throw new ServiceError('FROM_THE_FUTURE' as ErrorCode, 'New');
        },
      });

      expect(await codeOf(harness().client().rpc.call(perform, { value: 1 }))).toBe('INTERNAL');
    });

    it('is INTERNAL and tells nothing when its handler throws anything else; the log has it all', async () => {
      await harness().rpcServer({
        perform: () => {
          throw new TypeError('password is hunter2');
        },
      });

      const error = await harness()
        .client()
        .rpc.call(perform, { value: 1 })
        .catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: 'INTERNAL' });
      expect(JSON.stringify((error as ServiceError).toWire())).not.toContain('hunter2');
      const line = harness().logged.find(({ msg }) => msg === 'call failed');
      expect(line?.err?.message).toBe('password is hunter2');
      expect(line?.err?.stack).toContain('conformance');
    });

    it('does not keep others from being handled', async () => {
      await harness().rpcServer(
        {
          perform: (value) => {
            if (value === 'bad') throw new Error('bad');
            return value;
          },
        },
        { prefetch: 1 },
      );
      const { rpc } = harness().client();

      const codes = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          codeOf(rpc.call(perform, { value: index % 2 ? 'bad' : 'good' })),
        ),
      );

      expect(codes.filter((code) => code === 'OK')).toHaveLength(20);
      expect(codes.filter((code) => code === 'INTERNAL')).toHaveLength(20);
    });

    it('is REQUEST_INVALID, with what is wrong, when the request breaks the contract', async () => {
      await harness().rpcServer(echo);
      const malformed = 'no object' as unknown as { value: unknown };

      const error = await harness()
        .client()
        .rpc.call(perform, malformed)
        .catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: 'REQUEST_INVALID', details: { issues: [{ path: [] }] } });
    });

    it('is INTERNAL when the answer breaks the contract', async () => {
      await harness().rpcServer(echo);

      expect(await codeOf(harness().client().rpc.call(performStrictly, { value: 'text' }))).toBe('INTERNAL');
    });

    it('is RPC_UNKNOWN when the service has no such call', async () => {
      await harness().rpcServer(echo);

      expect(await codeOf(harness().client().rpc.call(unknownCall, { value: 1 }))).toBe('RPC_UNKNOWN');
    });

    it('is BUS_UNAVAILABLE at once when its service was never there', async () => {
      const started = performance.now();

      expect(await codeOf(harness().client().rpc.call(perform, { value: 1 }))).toBe('BUS_UNAVAILABLE');
      expect(performance.now() - started).toBeLessThan(2_500);
    });

    it('rejects with the reason of its signal', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: () => gate.opened });
      const { rpc } = harness().client();
      const abort = new AbortController();
      const reason = new Error('gave up');

      const call = rpc.call(perform, { value: 1 }, { signal: abort.signal });
      abort.abort(reason);
      gate.open();

      await expect(call).rejects.toBe(reason);
      await expect(rpc.call(perform, { value: 1 }, { signal: abort.signal })).rejects.toBe(reason);
    });
  });

  describe('a call that waits', () => {
    it('is RPC_TIMEOUT when its time is over', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: () => gate.opened });
      const { rpc } = harness().client();
      const started = performance.now();

      const code = await codeOf(rpc.call(perform, { value: 1 }, { timeoutMs: 100 }));
      gate.open();

      expect(code).toBe('RPC_TIMEOUT');
      expect(performance.now() - started).toBeLessThan(3_000);
    });

    it('is not run when its time was over before a replica took it', async () => {
      const gate = new Gate();
      const run: unknown[] = [];
      const behaviour = {
        perform: async (value: unknown) => {
          run.push(value);
          if (value === 'first') await gate.opened;
        },
      };
      await harness().rpcServer(behaviour, { prefetch: 1 });
      const { rpc } = harness().client();
      const first = rpc.call(perform, { value: 'first' });
      await waitFor('the first call to run', () => run.length === 1);

      const late = await codeOf(rpc.call(perform, { value: 'late' }, { timeoutMs: 100 }));
      gate.open();
      await first;
      await rpc.call(perform, { value: 'last' });

      expect(late).toBe('RPC_TIMEOUT');
      expect(run).toEqual(['first', 'last']);
    });

    it('is not run by a replica that starts when its time is over', async () => {
      const run: unknown[] = [];
      const behaviour = { perform: (value: unknown) => run.push(value) };
      const { rpc } = harness().client();
      const replica = await harness().rpcServer(behaviour);
      await replica.stop();

      const late = await codeOf(rpc.call(perform, { value: 'late' }, { timeoutMs: 100 }));
      await harness().rpcServer(behaviour);
      await rpc.call(perform, { value: 'in time' });

      expect(late).toBe('RPC_TIMEOUT');
      expect(run).toEqual(['in time']);
    });

    it('delays no other call of its envelope', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: (value) => (value === 'slow' ? gate.opened : value) });
      const { rpc } = harness().client({ envelopesInFlight: 1 });

      const slow = rpc.call(perform, { value: 'slow' });
      const fast = await Promise.all([1, 2, 3].map((value) => rpc.call(perform, { value })));
      gate.open();
      await slow;

      expect(fast.map(({ value }) => value)).toEqual([1, 2, 3]);
    });

    it('does not keep later calls from being sent', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: (value) => (value === 'slow' ? gate.opened : value) });
      const { rpc } = harness().client({ envelopesInFlight: 1 });
      const slow = [rpc.call(perform, { value: 'slow' })];

      for (let round = 0; round < 20; round += 1) {
        await rpc.call(perform, { value: round });
        slow.push(rpc.call(perform, { value: 'slow' }));
      }
      gate.open();

      await expect(Promise.all(slow)).resolves.toHaveLength(21);
    });
  });

  describe('a replica that closes', () => {
    it('answers what it has begun', async () => {
      const gate = new Gate();
      let running = 0;
      const replica = await harness().rpcServer({
        perform: async () => {
          running += 1;
          await gate.opened;
          return 'done';
        },
      });
      const calls = [1, 2, 3].map((value) => harness().client().rpc.call(perform, { value }));
      await waitFor('three calls to run', () => running === 3);

      const stopped = replica.stop(10_000);
      gate.open();

      await expect(Promise.all(calls)).resolves.toEqual(calls.map(() => ({ value: 'done' })));
      await stopped;
    });

    it('loses no call while another takes over', async () => {
      const leaving = await harness().rpcServer(echo);
      await harness().rpcServer(echo);
      const { rpc } = harness().client();
      const results: Promise<unknown>[] = [];

      const stopped = leaving.stop(10_000);
      for (let value = 0; value < 300; value += 1) {
        results.push(codeOf(rpc.call(perform, { value })));
        if (value % 10 === 0) await results.at(-1);
      }
      await stopped;

      expect(new Set(await Promise.all(results))).toEqual(new Set(['OK']));
    });

    it('waits no longer than its grace; what it leaves behind is refused and not run twice', async () => {
      const gate = new Gate();
      const run: unknown[] = [];
      const leaving = await harness().rpcServer({
        perform: async (value) => {
          run.push(value);
          await gate.opened;
        },
      });
      const call = codeOf(harness().client().rpc.call(perform, { value: 1 }));
      await waitFor('the first call to run', () => run.length === 1);

      await leaving.stop(50);
      await harness().rpcServer({ perform: (value) => run.push(value) });
      const code = await call;
      gate.open();

      expect(code).toBe('BUS_UNAVAILABLE');
      expect(run).toEqual([1]);
    });
  });

  describe('a client that closes', () => {
    it('gets the answers that come within its grace, and takes no more calls', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: () => gate.opened });
      const bus = harness().client();
      const call = codeOf(bus.rpc.call(perform, { value: 1 }));

      const closed = bus.close(10_000);
      const refused = await codeOf(bus.rpc.call(perform, { value: 2 }));
      gate.open();
      await closed;

      expect(await call).toBe('OK');
      expect(refused).toBe('SERVICE_STOPPING');
    });

    it('rejects the calls that were not answered by then', async () => {
      const gate = new Gate();
      await harness().rpcServer({ perform: () => gate.opened });
      const bus = harness().client();
      const call = codeOf(bus.rpc.call(perform, { value: 1 }));

      await bus.close(20);
      gate.open();

      expect(await call).toBe('SERVICE_STOPPING');
    });
  });
}
