import { hostname } from 'node:os';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import type { RpcClient } from '@glimpse/bus';
import type { Logger } from '@glimpse/observability';

/** Heartbeats per lease: three may be lost. */
const BEATS_PER_LEASE = 4;

export interface LeaseKeeperOptions {
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly instanceId: string;
  readonly service: string;
  readonly leaseMs: number;
  readonly logger: Logger;
  readonly now?: () => number;
}

/**
 * Keeps the lease of this process, on which its uploads hang. When no heartbeat got through for a whole lease others
 * may take the uploads for dead: then it ends them itself.
 */
export class LeaseKeeper {
  private leaseMs: number;
  private renewedAt: number | null = null;
  private held = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private readonly end = new AbortController();
  private readonly now: () => number;

  constructor(private readonly options: LeaseKeeperOptions) {
    this.leaseMs = options.leaseMs;
    this.now = options.now ?? (() => performance.now());
  }

  /** Takes the lease, or goes on trying in the background. */
  async start(): Promise<void> {
    await this.beat();
  }

  /** Aborts when the lease is lost; what is written from then on may be somebody else's. */
  get signal(): AbortSignal {
    this.checkLoss();
    return this.held.signal;
  }

  /** Aborts when the lease was given up on purpose: what is unfinished then is the registry's to clean up. */
  get released(): AbortSignal {
    return this.end.signal;
  }

  /** Stops renewing and gives the lease up, so that what hangs on it is taken care of at once. */
  async release(): Promise<void> {
    clearTimeout(this.timer);
    this.end.abort(new ServiceError('SERVICE_STOPPING', 'The service is stopping.'));
    try {
      await this.options.rpc.call(registryInstances.release, { instanceId: this.options.instanceId });
    } catch (error) {
      this.options.logger.warn({ err: error }, 'could not give the lease up, it will run out');
    }
  }

  private async beat(): Promise<void> {
    const { rpc, instanceId, service, logger } = this.options;
    const sentAt = this.now();
    // The loss is noticed in time also while a heartbeat waits for its answer.
    this.timer = setTimeout(() => void this.beat(), this.leaseMs / BEATS_PER_LEASE);
    this.checkLoss();
    try {
      const { leaseMs } = await rpc.call(
        registryInstances.heartbeat,
        { instanceId, service, host: hostname() },
        { timeoutMs: Math.ceil(this.leaseMs / BEATS_PER_LEASE) },
      );
      this.renew(sentAt, leaseMs);
    } catch (error) {
      logger.warn({ err: error }, 'heartbeat failed');
    }
  }

  private renew(sentAt: number, leaseMs: number): void {
    if (this.end.signal.aborted) return;
    this.checkLoss();
    this.leaseMs = leaseMs;
    this.renewedAt = Math.max(sentAt, this.renewedAt ?? sentAt);
    if (this.held.signal.aborted) this.held = new AbortController();
  }

  private checkLoss(): void {
    if (this.renewedAt === null || this.held.signal.aborted) return;
    if (this.now() - this.renewedAt < this.leaseMs) return;
    this.options.logger.error('the lease ran out, giving up the uploads');
    this.held.abort(
      new ServiceError('BUS_UNAVAILABLE', 'The upload was given up: the registry could not be reached.'),
    );
  }
}
