import { type ErrorCode, ServiceError } from '@glimpse/contracts';
import { currentContext, runInContext, traceparentFrom } from '@glimpse/observability';
import { describe, expect, it } from '@jest/globals';
import {
  type BusHarness,
  Gate,
  codeOf,
  echo,
  perform,
  performStrictly,
  unknownCall,
} from './bus-harness.conformance.js';

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

    it('is seen before it runs, and when it fails', async () => {
      const seen: unknown[] = [];
      const { strategy } = await harness().rpcServer({
        perform: (value) => {
          if (value === 'wrong') throw new ServiceError('IMAGE_INVALID', 'wrong');
          return value;
        },
      });
      strategy.watchCalls({
        begin: (pattern, { value }: { value: unknown }) => {
          seen.push([pattern, value]);
          if (value === 'forbidden') throw new ServiceError('ACTION_FORBIDDEN', 'forbidden');
        },
        failed: (_pattern, { value }: { value: unknown }, error) =>
          void seen.push([value, (error as ServiceError).code]),
      });
      const { rpc } = harness().client();

      const codes: unknown[] = [];
      for (const value of ['right', 'wrong', 'forbidden'])
        codes.push(await codeOf(rpc.call(perform, { value })));

      expect(codes).toEqual(['OK', 'IMAGE_INVALID', 'ACTION_FORBIDDEN']);
      expect(seen).toEqual([
        [perform.pattern, 'right'],
        [perform.pattern, 'wrong'],
        ['wrong', 'IMAGE_INVALID'],
        [perform.pattern, 'forbidden'],
        ['forbidden', 'ACTION_FORBIDDEN'],
      ]);
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
}
