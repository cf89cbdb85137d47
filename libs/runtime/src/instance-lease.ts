import { hostname } from 'node:os';
import type { RpcClient } from '@glimpse/bus';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';

/** Heartbeats per lease: three may be lost. After one that failed the next comes sooner by the same factor. */
const BEATS_PER_LEASE = 4;

export interface InstanceLeaseOptions {
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly instanceId: string;
  readonly service: string;
  /** What is assumed until the registry has told. */
  readonly leaseMs: number;
  readonly logger: Logger;
  /** A clock in milliseconds that never jumps. */
  readonly now?: () => number;
}

/**
 * The lease of this process, on which its work hangs. Others take that work for dead when no heartbeat got through
 * for a whole lease; the process then learns it from `signal`, without being told.
 */
export class InstanceLease {
  private leaseMs: number;
  private renewedAt: number | null = null;
  private held = new AbortController();
  private readonly end = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private readonly now: () => number;

  constructor(private readonly options: InstanceLeaseOptions) {
    this.leaseMs = options.leaseMs;
    this.now = options.now ?? (() => performance.now());
  }

  /** Takes the lease, or goes on trying in the background, and keeps it from then on. Never rejects. */
  async start(): Promise<void> {
    await this.beat();
  }

  /** Aborts, with BUS_UNAVAILABLE, when the lease is lost. After a lease was taken again it is a new signal. */
  get signal(): AbortSignal {
    this.checkLoss();
    return this.held.signal;
  }

  /** Aborts, with SERVICE_STOPPING, when the lease is given up on purpose. */
  get released(): AbortSignal {
    return this.end.signal;
  }

  /** Gives the lease up, so that what hangs on it is taken care of at once. Never rejects. */
  async release(): Promise<void> {
    clearTimeout(this.timer);
    this.end.abort(new ServiceError('SERVICE_STOPPING', 'The service is stopping'));
    try {
      await this.options.rpc.call(registryInstances.release, { instanceId: this.options.instanceId });
    } catch (error) {
      this.options.logger.warn({ err: error }, 'could not give the lease up, it will run out');
    }
  }

  private async beat(): Promise<void> {
    const { rpc, instanceId, service, logger } = this.options;
    const sentAt = this.now();
    // Set before the call, so that a loss is also noticed while a heartbeat waits for its answer.
    const intervalMs = Math.ceil(this.leaseMs / BEATS_PER_LEASE);
    this.beatAgainIn(intervalMs);
    this.checkLoss();
    try {
      const request = { instanceId, service, host: hostname() };
      const { leaseMs } = await rpc.call(registryInstances.heartbeat, request, { timeoutMs: intervalMs });
      this.renew(sentAt, leaseMs);
    } catch (error) {
      logger.warn({ err: error }, 'heartbeat failed');
      this.beatAgainIn(intervalMs / BEATS_PER_LEASE);
    }
  }

  private beatAgainIn(ms: number): void {
    clearTimeout(this.timer);
    if (!this.end.signal.aborted) this.timer = setTimeout(() => void this.beat(), ms);
  }

  private renew(sentAt: number, leaseMs: number): void {
    if (this.end.signal.aborted) return;
    this.checkLoss();
    this.leaseMs = leaseMs;
    // Counted from the sending: the registry's own count begins no earlier.
    this.renewedAt = Math.max(sentAt, this.renewedAt ?? sentAt);
    if (this.held.signal.aborted) this.held = new AbortController();
  }

  private checkLoss(): void {
    if (this.renewedAt === null || this.held.signal.aborted) return;
    if (this.now() - this.renewedAt < this.leaseMs) return;
    this.options.logger.error('the lease of this process ran out');
    this.held.abort(new ServiceError('BUS_UNAVAILABLE', 'The registry could not be reached for too long'));
  }
}
