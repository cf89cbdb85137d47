import type { RpcClient } from '@glimpse/bus';
import { type ClaimedJob, type JobProgress, ServiceError, registryJobs } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';

/** Heartbeats per lease: three may be lost. */
const BEATS_PER_LEASE = 4;

const lost = () => new ServiceError('LEASE_LOST', "The job's lease ran out");

/**
 * Keeps the lease of one job while it runs. `signal` aborts with LEASE_LOST when the job is somebody else's, or when no
 * heartbeat got through for a whole lease, so that it may be.
 */
export class JobLease {
  private readonly held = new AbortController();
  private readonly beats: NodeJS.Timeout;
  private expiry: NodeJS.Timeout;
  private progress: JobProgress | null = null;
  private isStopped = false;

  /** `claimedAt` is when the claim was sent, by `performance.now()`: the lease runs from there. */
  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly job: ClaimedJob,
    private readonly logger: Logger,
    claimedAt: number,
  ) {
    this.beats = setInterval(() => void this.beat(), job.leaseMs / BEATS_PER_LEASE);
    this.expiry = this.expireAfter(claimedAt);
  }

  get signal(): AbortSignal {
    return this.held.signal;
  }

  /** Goes out with the next heartbeat. */
  reportProgress(progress: JobProgress): void {
    this.progress = progress;
  }

  /** Ends the heartbeats; the lease itself ends with the job. */
  stop(): void {
    this.isStopped = true;
    clearInterval(this.beats);
    clearTimeout(this.expiry);
  }

  private expireAfter(renewedAt: number): NodeJS.Timeout {
    const leftMs = renewedAt + this.job.leaseMs - performance.now();
    return setTimeout(() => this.held.abort(lost()), Math.max(0, leftMs));
  }

  private async beat(): Promise<void> {
    const { id: jobId, leaseToken, leaseMs } = this.job;
    const sentAt = performance.now();
    const { progress } = this;
    try {
      const { outcome } = await this.rpc.call(
        registryJobs.heartbeat,
        { jobId, leaseToken, progress },
        { timeoutMs: Math.ceil(leaseMs / BEATS_PER_LEASE), signal: this.held.signal },
      );
      if (this.isStopped) return;
      clearTimeout(this.expiry);
      if (outcome === 'lost') this.held.abort(lost());
      else this.expiry = this.expireAfter(sentAt);
    } catch (error) {
      if (!this.isStopped && !this.held.signal.aborted)
        this.logger.warn({ err: error, jobId }, 'heartbeat of a job failed');
    }
  }
}
