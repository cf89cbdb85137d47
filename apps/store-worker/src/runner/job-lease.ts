import type { RpcClient } from '@glimpse/bus';
import { type ClaimedJob, type Progress, ServiceError, registryJobs } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { ProgressMeter } from '@glimpse/pipeline';

/** Heartbeats per lease: three may be lost. */
const BEATS_PER_LEASE = 4;
/** How often a job that goes on tells how far it has come. */
const PROGRESS_EVERY_MS = 1_000;

const lost = () => new ServiceError('LEASE_LOST', "The job's lease ran out");

/**
 * Keeps the lease of one job while it runs. `signal` aborts with LEASE_LOST when the job is somebody else's, or when no
 * heartbeat got through for a whole lease, so that it may be.
 */
export class JobLease {
  private readonly held = new AbortController();
  private readonly beats: NodeJS.Timeout;
  private expiry: NodeJS.Timeout;
  /** The last progress that the registry has. */
  private told = '';
  private beatenAt: number;
  private isBeating = false;
  private isStopped = false;

  /** `claimedAt` is when the claim was sent, by `performance.now()`: the lease runs from there. */
  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly job: ClaimedJob,
    private readonly meter: Pick<ProgressMeter, 'read'>,
    private readonly logger: Logger,
    claimedAt: number,
  ) {
    this.beatenAt = claimedAt;
    this.beats = setInterval(() => this.tick(), Math.min(PROGRESS_EVERY_MS, this.beatMs));
    this.expiry = this.expireAfter(claimedAt);
  }

  get signal(): AbortSignal {
    return this.held.signal;
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

  private get beatMs(): number {
    return this.job.leaseMs / BEATS_PER_LEASE;
  }

  private tick(): void {
    const progress = this.meter.read();
    const isDue = performance.now() - this.beatenAt >= this.beatMs;
    const isNews = !this.isBeating && JSON.stringify(progress) !== this.told;
    if (isDue || isNews) void this.beat(progress);
  }

  private async beat(progress: Progress): Promise<void> {
    const { id: jobId, leaseToken } = this.job;
    const sentAt = performance.now();
    this.beatenAt = sentAt;
    this.isBeating = true;
    try {
      const { outcome } = await this.rpc.call(
        registryJobs.heartbeat,
        { jobId, leaseToken, progress },
        { timeoutMs: Math.ceil(this.beatMs), signal: this.held.signal },
      );
      this.told = JSON.stringify(progress);
      if (this.isStopped) return;
      clearTimeout(this.expiry);
      if (outcome === 'lost') this.held.abort(lost());
      else this.expiry = this.expireAfter(sentAt);
    } catch (error) {
      if (!this.isStopped && !this.held.signal.aborted)
        this.logger.warn({ err: error, jobId }, 'heartbeat of a job failed');
    } finally {
      this.isBeating = false;
    }
  }
}
