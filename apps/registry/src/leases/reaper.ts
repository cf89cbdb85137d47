import { BusStatus } from '@glimpse/bus';
import { counter, metricNames } from '@glimpse/observability';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { JobQueue } from '../jobs/job-queue.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { InstanceLeases } from './instance-leases.js';
import { type UploadLeaseKey, UploadLeases } from './upload-leases.js';

const BATCH = 100;
const RECEIVER_DIED = 'The process that received the data went away.';

const reaped = counter({
  name: metricNames.leasesReaped,
  help: 'Uploads that came to nothing and whose leftovers a worker has to remove.',
});

/**
 * Takes care of what dead processes, and failed uploads, left: queues the removal of the leftovers of their uploads. The
 * image stays in `saving` until that job is done (`ReapedUploads`), so that nobody writes what is being removed.
 */
@Injectable()
export class Reaper {
  private readonly repeater: Repeater;
  /** Since when heartbeats could reach the database without a break, as far as we know. */
  private unbrokenSince: number;
  private lastLook: number;

  constructor(
    private readonly database: Database,
    private readonly uploads: UploadLeases,
    private readonly instances: InstanceLeases,
    private readonly jobs: JobQueue,
    private readonly bus: BusStatus,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.unbrokenSince = clock.now();
    this.lastLook = clock.now();
    this.repeater = new Repeater('reaper', settings.logger, () => this.look());
  }

  start(): void {
    this.repeater.start(() => this.settings.config.leases.reaperIntervalMs);
  }

  /** Resolves when it is not at work any more. */
  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Looks once for processes that died, unless they may only have been out of our sight. */
  async look(): Promise<void> {
    try {
      if (this.mayJudge()) await this.reapOrphans();
    } catch (error) {
      // Nobody's heartbeat came through while the database was away.
      this.unbrokenSince = this.clock.now();
      throw error;
    }
  }

  private mayJudge(): boolean {
    const now = this.clock.now();
    const pause = now - this.lastLook;
    this.lastLook = now;
    // This process stood still, and with it perhaps the heartbeats that it should have noted.
    if (pause > this.instances.leaseMs + this.settings.config.leases.reaperIntervalMs)
      this.unbrokenSince = now;
    const connectedSince = this.bus.connectedSinceMs();
    if (connectedSince === null) return false;
    return now - Math.max(connectedSince, this.unbrokenSince) > this.instances.leaseMs;
  }

  private async reapOrphans(): Promise<void> {
    const orphans = await this.uploads.findOrphans(this.database, BATCH);
    for (const orphan of orphans) await this.database.unitOfWork.run((tx) => this.reap(tx, orphan));
    await this.database.unitOfWork.run(async (tx) => {
      await this.uploads.forgetEnded(tx);
      await this.instances.forgetDead(tx);
    });
  }

  /** The instance said that it has ended: no need to wait. */
  async reapAllOf(tx: Transaction, instanceId: string): Promise<void> {
    for (const upload of await this.uploads.findOf(tx, instanceId)) await this.reap(tx, upload);
  }

  /** The upload has ended, but could not remove what it had written. */
  async reapOne(tx: Transaction, uploadId: string, reason: string): Promise<void> {
    const upload = await this.uploads.findHeld(tx, uploadId);
    if (upload !== undefined) await this.reap(tx, upload, reason);
  }

  private async reap(tx: Transaction, upload: UploadLeaseKey, reason = RECEIVER_DIED): Promise<void> {
    const { uploadId, imageId, storeId } = upload;
    if (!(await this.uploads.reap(tx, uploadId, reason))) return;
    await this.jobs.enqueue(tx, 'delete-data', { imageId, locations: [], partial: { storeId, uploadId } });
    tx.afterCommit(() => {
      reaped.inc();
      this.settings.logger.warn(
        { imageId, uploadId, storeId },
        'an upload came to nothing, removing what it left',
      );
    });
  }
}
