import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { type BusHarness, Gate, codeOf, echo, perform } from './bus-harness.conformance.js';

/** What becomes of calls that wait, and of those that run when one end closes. */
export function describeWaitingCalls(harness: () => BusHarness): void {
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

      const late = codeOf(rpc.call(perform, { value: 'late' }, { timeoutMs: 100 }));
      // The broker counts from when it has the message, a little later than the caller: this one passes the time.
      await codeOf(rpc.call(perform, { value: 'pause' }, { timeoutMs: 1_000 }));
      gate.open();
      await first;
      await rpc.call(perform, { value: 'last' });

      expect(await late).toBe('RPC_TIMEOUT');
      expect(run).not.toContain('late');
      expect(run.at(-1)).toBe('last');
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
