import { afterEach, describe, expect, it } from '@jest/globals';
import type { RpcClient } from '@glimpse/bus';
import { type ClaimedJob, type JobKind, ServiceError, jobKinds, registryJobs } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import type { JobContext } from './job-handler.js';
import { JobHandlers } from './job-handlers.js';
import { JobRunner } from './job.runner.js';

type Request = { jobId: string; limit: number; [key: string]: unknown };

/** The registry's part of the agreement: hands jobs out and notes what it is told. */
class FakeRegistry {
  readonly waiting: ClaimedJob[] = [];
  readonly told: [string, Request][] = [];
  beats = 0;
  outcome: 'ok' | 'lost' = 'ok';
  /** Calls that fail before the next one is answered. */
  failures = 0;
  isThere = true;
  private claimsAnswered: Promise<void> = Promise.resolve();

  /** Claims wait for their answer until the function that this returns is called. */
  holdClaims(): () => void {
    let answer = () => {};
    this.claimsAnswered = new Promise((resolve) => {
      answer = resolve;
    });
    return answer;
  }

  add(id: string, job: Partial<ClaimedJob> = {}): void {
    this.waiting.push({
      id,
      kind: 'delete-data',
      imageId: 'image',
      payload: { imageId: 'image', locations: [] },
      leaseToken: `token-${id}`,
      leaseMs: 60,
      attempt: 1,
      ...job,
    });
  }

  readonly rpc = {
    call: async (definition: { pattern: string }, request: Request) => {
      if (!this.isThere) throw new ServiceError('BUS_UNAVAILABLE', 'no way');
      if (definition === registryJobs.claim) {
        await this.claimsAnswered;
        return { jobs: this.waiting.splice(0, request.limit) };
      }
      if (definition === registryJobs.heartbeat) {
        this.beats++;
        return { outcome: this.outcome };
      }
      if (this.failures-- > 0) throw new ServiceError('RPC_TIMEOUT', 'no answer');
      this.told.push([definition.pattern.replace('registry.job.', ''), request]);
      return { outcome: 'ok' };
    },
  } as unknown as Pick<RpcClient, 'call'>;

  get outcomes(): string[] {
    return this.told.map(([what, { jobId }]) => `${what} ${jobId}`);
  }
}

const until = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise(setImmediate);
};

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('JobRunner', () => {
  let runner: JobRunner;
  afterEach(() => runner.stop(0));

  function arrange(
    run: (context: JobContext) => Promise<void>,
    options = { concurrency: 2, pollMs: 60_000 },
  ) {
    const registry = new FakeRegistry();
    const handler = (kind: JobKind) => ({
      kind,
      run: async (_payload: unknown, context: JobContext) => {
        await run(context);
        return null;
      },
    });
    const handlers = new JobHandlers(jobKinds.map(handler));
    const logger = createLogger('test', { level: 'silent' });
    runner = new JobRunner(registry.rpc, handlers, { instanceId: 'worker', ...options }, logger);
    return registry;
  }

  it('runs what is due at the start, and completes it', async () => {
    const registry = arrange(async () => {});
    registry.add('a');

    runner.start();

    await until(() => registry.told.length === 1);
    expect(registry.told).toEqual([
      [
        'complete',
        {
          jobId: 'a',
          leaseToken: 'token-a',
          result: null,
          progress: expect.objectContaining({ bytesDone: 0 }),
        },
      ],
    ]);
  });

  it('looks for jobs when it is woken, and when nobody wakes it', async () => {
    const registry = arrange(async () => {}, { concurrency: 2, pollMs: 10 });
    runner.start();
    registry.add('a');
    runner.wake();
    await until(() => registry.told.length === 1);

    registry.add('b');

    await until(() => registry.told.length === 2);
    expect(registry.outcomes).toEqual(['complete a', 'complete b']);
  });

  it('runs no more at once than it may, and all in the end', async () => {
    let running = 0;
    let most = 0;
    const registry = arrange(async () => {
      running++;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running--;
    });
    for (let n = 0; n < 9; n++) registry.add(`job-${n}`);

    runner.start();

    await until(() => registry.told.length === 9);
    expect(most).toBe(2);
  });

  it('survives a registry that is away', async () => {
    const registry = arrange(async () => {}, { concurrency: 1, pollMs: 5 });
    registry.isThere = false;
    registry.add('a');
    runner.start();
    await new Promise(setImmediate);

    registry.isThere = true;

    await until(() => registry.told.length === 1);
    expect(registry.outcomes).toEqual(['complete a']);
  });

  it.each([
    [new ServiceError('STORE_UNAVAILABLE', 'no store'), 'STORE_UNAVAILABLE', true],
    [new ServiceError('STORE_UNKNOWN', 'no such store'), 'STORE_UNKNOWN', false],
    [new TypeError('a defect'), 'INTERNAL', true],
  ])('tells of a failure: %s', async (error, code, isRetryable) => {
    const registry = arrange(async () => {
      throw error;
    });
    registry.add('a');

    runner.start();

    await until(() => registry.told.length === 1);
    expect(registry.told[0]).toEqual([
      'fail',
      expect.objectContaining({
        jobId: 'a',
        isRetryable,
        error: expect.objectContaining({ code, message: error.message }),
      }),
    ]);
  });

  it('fails a job whose payload is not what its kind needs', async () => {
    const registry = arrange(async () => {});
    registry.add('a', { payload: { imageId: 7 } });

    runner.start();

    await until(() => registry.told.length === 1);
    expect(registry.told[0]).toEqual(['fail', expect.objectContaining({ isRetryable: false })]);
  });

  it('tells until it is answered', async () => {
    const registry = arrange(async () => {});
    registry.failures = 1;
    registry.add('a', { leaseMs: 10_000 });

    runner.start();

    await until(() => registry.told.length === 1);
    expect(registry.outcomes).toEqual(['complete a']);
  });

  it('keeps the lease of a job that takes longer, with its progress', async () => {
    let finish = () => {};
    const registry = arrange(async ({ progress }) => {
      progress.phase('removing');
      progress.bytes(1);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    registry.add('a');
    runner.start();

    await until(() => registry.beats > 6);
    finish();

    await until(() => registry.told.length === 1);
    expect(registry.outcomes).toEqual(['complete a']);
  });

  it('ends a job whose lease is lost, and says nothing about it', async () => {
    let reason: unknown;
    const registry = arrange(({ signal }) =>
      untilAborted(signal).catch((error: unknown) => {
        reason = error;
        throw error;
      }),
    );
    registry.outcome = 'lost';
    registry.add('a');

    runner.start();

    await until(() => reason !== undefined);
    await runner.stop(1000);
    expect(reason).toMatchObject({ code: 'LEASE_LOST' });
    expect(registry.told).toEqual([]);
  });

  it('takes a lease for lost when no heartbeat got through for all of it', async () => {
    let reason: unknown;
    const registry = arrange(({ signal }) =>
      untilAborted(signal).catch((error: unknown) => {
        reason = error;
      }),
    );
    registry.add('a');
    runner.start();
    await until(() => registry.waiting.length === 0);

    registry.isThere = false;

    await until(() => reason !== undefined);
    expect(reason).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('lets jobs finish when it stops, and claims no more', async () => {
    let finish = () => {};
    const registry = arrange(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    registry.add('a');
    runner.start();
    await until(() => registry.waiting.length === 0);

    const stopped = runner.stop(10_000);
    registry.add('b');
    runner.wake();
    finish();
    await stopped;

    expect(registry.outcomes).toEqual(['complete a']);
    expect(registry.waiting).toHaveLength(1);
  });

  it('waits for the claim that is under way when it stops, and runs what it brings', async () => {
    const registry = arrange(async () => {});
    registry.add('a');
    const answer = registry.holdClaims();
    runner.start();

    const stopped = runner.stop(10_000);
    const isStillStopping = await Promise.race([
      stopped.then(() => false),
      new Promise((resolve) => setImmediate(() => resolve(true))),
    ]);
    answer();
    await stopped;

    expect(isStillStopping).toBe(true);
    expect(registry.outcomes).toEqual(['complete a']);
  });

  it('gives back what a claim brings after the time to finish', async () => {
    const registry = arrange(async ({ signal }) => signal.throwIfAborted());
    registry.add('a');
    const answer = registry.holdClaims();
    runner.start();

    const stopped = runner.stop(0);
    // Timers of one length fire in the order in which they were set: the runner's first.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise(setImmediate);
    answer();
    await stopped;

    expect(registry.outcomes).toEqual(['release a']);
  });

  it('gives back what does not finish in time', async () => {
    const registry = arrange(({ signal }) => untilAborted(signal));
    registry.add('a');
    runner.start();
    await until(() => registry.waiting.length === 0);

    await runner.stop(5);

    expect(registry.outcomes).toEqual(['release a']);
  });
});

describe('JobHandlers', () => {
  const handler = { kind: 'delete-data', run: async () => null } as const;

  it('refuses a kind without a handler, and one with two', () => {
    expect(() => new JobHandlers([])).toThrow(`Jobs of kind ${jobKinds.join(', ')} have no handler`);
    expect(() => new JobHandlers([handler, handler])).toThrow('Jobs of kind delete-data have two handlers');
  });
});
