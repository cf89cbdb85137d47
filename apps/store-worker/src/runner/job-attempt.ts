import { setTimeout as delay } from 'node:timers/promises';
import type { RpcClient } from '@glimpse/bus';
import {
  type ClaimedJob,
  type JobKind,
  type JobPayload,
  type JobResult,
  type ResponseOf,
  ServiceError,
  type WireError,
  isServiceError,
  jobPayloadOf,
  registryJobs,
} from '@glimpse/contracts';
import { type Logger, redactCredentials } from '@glimpse/observability';
import { CountedProgress } from './counted-progress.js';
import type { JobHandler } from './job-handler.js';
import { JobLease } from './job-lease.js';

/** Pause before the registry is told again what came of a job. */
const REPORT_RETRY_MS = 500;

type Outcome = ResponseOf<typeof registryJobs.complete>;

type End =
  | { readonly isDone: true; readonly result: JobResult<JobKind> }
  | { readonly isDone: false; readonly reason: unknown };

function describeFailure(error: unknown): { error: WireError; isRetryable: boolean } {
  if (isServiceError(error)) return { error: error.toWire(), isRetryable: error.isRetryable };
  const message = redactCredentials(error instanceof Error ? error.message : String(error));
  // A defect may hide a passing trouble; the number of attempts bounds it.
  return { error: { code: 'INTERNAL', message }, isRetryable: true };
}

function parsePayload<K extends JobKind>(kind: K, payload: unknown): JobPayload<K> {
  try {
    return jobPayloadOf(kind, payload);
  } catch (error) {
    throw new ServiceError('REQUEST_INVALID', `The job's payload is not that of ${kind}`, { cause: error });
  }
}

/** One attempt at a job: runs its handler under its lease and tells the registry what came of it. */
export class JobAttempt {
  private readonly lease: JobLease;
  private readonly progress: CountedProgress;
  private readonly stopping = new AbortController();

  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly job: ClaimedJob,
    private readonly handler: JobHandler<JobKind>,
    private readonly logger: Logger,
    claimedAt: number,
  ) {
    this.progress = new CountedProgress(job.kind);
    this.lease = new JobLease(rpc, job, this.progress, logger, claimedAt);
  }

  /** Ends the handler's work and gives the job back. */
  stop(): void {
    this.stopping.abort(new ServiceError('SERVICE_STOPPING', 'The store-worker is stopping'));
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { id: jobId, leaseToken } = this.job;
    const held = { jobId, leaseToken };
    try {
      const end = await this.runHandler();
      if (this.lease.signal.aborted) {
        // Somebody else may be at it by now: nothing is touched any more.
        this.logger.warn('the lease of the job was lost, leaving it');
      } else if (end.isDone) {
        await this.report(() =>
          this.rpc.call(registryJobs.complete, {
            ...held,
            result: end.result,
            progress: this.progress.read(),
          }),
        );
      } else if (this.stopping.signal.aborted) {
        await this.report(() => this.rpc.call(registryJobs.release, held));
      } else {
        this.logger.warn({ err: end.reason, attempt: this.job.attempt }, 'the job failed');
        const failed = { ...held, ...describeFailure(end.reason) };
        await this.report(() => this.rpc.call(registryJobs.fail, failed));
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'could not tell what came of the job, its lease will run out');
    } finally {
      this.lease.stop();
    }
  }

  private async runHandler(): Promise<End> {
    try {
      const result = await this.handler.run(parsePayload(this.job.kind, this.job.payload), {
        signal: AbortSignal.any([this.lease.signal, this.stopping.signal]),
        progress: this.progress,
        attempt: this.job.attempt,
        lease: { jobId: this.job.id, leaseToken: this.job.leaseToken },
      });
      return { isDone: true, result };
    } catch (reason) {
      return { isDone: false, reason };
    }
  }

  /** Repeats the call until it is answered, for as long as the lease holds. All of these calls can be repeated. */
  private async report(call: () => Promise<Outcome>): Promise<void> {
    const { signal } = this.lease;
    while (true) {
      try {
        const { outcome } = await call();
        if (outcome === 'lost') this.logger.warn('the job is no longer ours');
        return;
      } catch (error) {
        if (!isServiceError(error) || !error.isRetryable || signal.aborted) throw error;
        await delay(REPORT_RETRY_MS, undefined, { signal });
      }
    }
  }
}
