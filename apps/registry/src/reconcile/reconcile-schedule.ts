import { STAGING_STORE } from '@glimpse/contracts';
import { Database, queueReconcileRun } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { JobQueue } from '../jobs/job-queue.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';

/** How often it is looked whether a store is due, at most. */
const LOOK_EVERY_MS = 60_000;
/** A store that was never compared waits so long at most, so that nothing is read while everything starts. */
const FIRST_AFTER_MS = 600_000;
const LEASE = 'reconcile';

/** Has each store compared with the database from time to time, by one registry among all. */
@Injectable()
export class ReconcileSchedule {
  private readonly repeater: Repeater;
  private readonly beganAt: number;

  constructor(
    private readonly database: Database,
    private readonly leases: SingletonLeases,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.beganAt = clock.now();
    this.repeater = new Repeater('schedule of reconciliation', settings.logger, () => this.look());
  }

  start(): void {
    this.repeater.start(() => Math.min(LOOK_EVERY_MS, this.settings.config.reconcile.intervalMs));
  }

  /** Resolves when it is not at work any more. */
  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Looks once which stores are due. */
  async look(): Promise<void> {
    if (!this.settings.config.reconcile.enabled || !(await this.leases.hold(LEASE))) return;
    const stores = [...Object.keys(this.settings.config.stores), STAGING_STORE];
    const last = await this.lastRuns();
    for (const storeId of stores) if (this.isDue(last.get(storeId))) await this.begin(storeId);
  }

  private async lastRuns(): Promise<Map<string, { startedAt: number; running: number }>> {
    const rows = await this.database.query<{
      store_id: string;
      started_at: number | string;
      running: number | string;
    }>(
      `SELECT store_id, MAX(started_at) AS started_at,
              SUM(CASE status WHEN 'running' THEN 1 ELSE 0 END) AS running
         FROM reconcile_runs WHERE scope = 'store' GROUP BY store_id`,
    );
    return new Map(
      rows.map((row) => [row.store_id, { startedAt: Number(row.started_at), running: Number(row.running) }]),
    );
  }

  private isDue(last: { startedAt: number; running: number } | undefined): boolean {
    const { intervalMs } = this.settings.config.reconcile;
    const now = this.clock.now();
    if (last === undefined) return now - this.beganAt >= Math.min(intervalMs, FIRST_AFTER_MS);
    return last.running === 0 && now - last.startedAt >= intervalMs;
  }

  private async begin(storeId: string): Promise<void> {
    const { repair, graceMs, quarantineMs, soleOwner } = this.settings.config.reconcile;
    await this.database.unitOfWork.run(async (tx) => {
      const { jobId } = await queueReconcileRun(
        tx,
        { storeId, scope: 'store', repair, discard: true, graceMs, keepMs: quarantineMs, soleOwner },
        this.clock.now(),
      );
      await this.jobs.announce(tx, jobId, 'reconcile');
    });
  }
}
