import type { RpcClient } from '@glimpse/bus';
import { type ClaimedJob, registryJobs } from '@glimpse/contracts';
import { type Logger, gauge, metricNames } from '@glimpse/observability';
import { isDoneWithin } from '@glimpse/runtime';
import { ClaimLoop } from './claim-loop.js';
import { JobAttempt } from './job-attempt.js';
import type { JobHandlers } from './job-handlers.js';

const jobsRunning = gauge({ name: metricNames.jobsRunning, help: 'Jobs that this process works on.' });

export interface JobRunnerOptions {
  readonly instanceId: string;
  /** Jobs at once. */
  readonly concurrency: number;
  /** How often to look for jobs that no event announced, in milliseconds. */
  readonly pollMs: number;
}

/** Claims jobs from the registry and runs them, a bounded number at once. */
export class JobRunner {
  private readonly running = new Map<JobAttempt, Promise<void>>();
  private readonly claims: ClaimLoop;
  private isGraceOver = false;

  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly handlers: JobHandlers,
    private readonly options: JobRunnerOptions,
    private readonly logger: Logger,
  ) {
    this.claims = new ClaimLoop(
      () => this.claim(),
      (error) => logger.warn({ err: error }, 'could not ask for jobs'),
      options.pollMs,
    );
  }

  start(): void {
    this.claims.start();
  }

  /** Looks for jobs now. */
  wake(): void {
    this.claims.wake();
  }

  /**
   * Claims nothing more, lets jobs finish for up to `graceMs` milliseconds and gives back those that don't. Resolves
   * when none is left.
   */
  async stop(graceMs: number): Promise<void> {
    this.claims.stop();
    if (await isDoneWithin(this.allDone(), graceMs)) return;
    this.logger.warn({ jobs: this.running.size }, 'giving back the jobs that are not done');
    this.isGraceOver = true;
    for (const attempt of this.running.keys()) attempt.stop();
    await this.allDone();
  }

  private async allDone(): Promise<void> {
    // What a claim that is under way brings is to be run too, or given back.
    await this.claims.settled();
    while (this.running.size > 0) await Promise.all(this.running.values());
  }

  private async claim(): Promise<void> {
    const free = this.options.concurrency - this.running.size;
    if (free === 0) return;
    const claimedAt = performance.now();
    const { jobs } = await this.rpc.call(registryJobs.claim, {
      instanceId: this.options.instanceId,
      kinds: this.handlers.kinds,
      limit: free,
    });
    for (const job of jobs) this.begin(job, claimedAt);
  }

  private begin(job: ClaimedJob, claimedAt: number): void {
    const logger = this.logger.child({ job: job.id, kind: job.kind, image: job.imageId });
    const attempt = new JobAttempt(this.rpc, job, this.handlers.get(job.kind), logger, claimedAt);
    if (this.isGraceOver) attempt.stop();
    const done = attempt.run().finally(() => {
      this.running.delete(attempt);
      jobsRunning.dec();
      // A place is free, and more may be waiting.
      this.wake();
    });
    this.running.set(attempt, done);
    jobsRunning.inc();
  }
}
