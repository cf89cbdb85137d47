import { STAGING_STORE } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
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

const orphans = gauge({
  name: metricNames.storeOrphans,
  help: 'Data that lies in a store and belongs to no image.',
  labelNames: ['store'],
});
const orphanBytes = gauge({
  name: metricNames.storeOrphanBytes,
  help: 'Bytes of data that belongs to no image.',
  labelNames: ['store'],
});
const missing = gauge({
  name: metricNames.storeMissing,
  help: 'Data of images that is not in its store, or has another size there.',
  labelNames: ['store'],
});
const quarantined = gauge({
  name: metricNames.storeQuarantine,
  help: 'Data that is set aside.',
  labelNames: ['store'],
});
const quarantinedBytes = gauge({
  name: metricNames.storeQuarantineBytes,
  help: 'Bytes of data that is set aside.',
  labelNames: ['store'],
});
const reconciled = gauge({
  name: metricNames.storeReconciled,
  help: 'When a store was last compared with the database, in seconds since 1970.',
  labelNames: ['store'],
});

interface Counts {
  store_id: string;
  kind: string;
  objects: number;
  /** MySQL gives sums as text. */
  bytes: number | string | null;
}

/** Has each store compared with the database from time to time, by one registry among all, and tells what is known. */
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
    await this.measure();
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

  /** Every registry tells the same, whoever found it out. */
  private async measure(): Promise<void> {
    const found = await this.database.query<Counts>(
      'SELECT store_id, kind, COUNT(*) AS objects, SUM(size) AS bytes FROM store_findings GROUP BY store_id, kind',
    );
    const aside = await this.database.query<Omit<Counts, 'kind'>>(
      'SELECT store_id, COUNT(*) AS objects, SUM(size) AS bytes FROM quarantined_objects GROUP BY store_id',
    );
    const runs = await this.database.query<{ store_id: string; ended_at: number | string }>(
      `SELECT store_id, MAX(ended_at) AS ended_at FROM reconcile_runs
        WHERE scope = 'store' AND status = 'done' GROUP BY store_id`,
    );
    for (const { store_id: store, ended_at } of runs) {
      const of = (...kinds: string[]) => {
        const rows = found.filter(({ store_id, kind }) => store_id === store && kinds.includes(kind));
        return {
          objects: rows.reduce((sum, row) => sum + row.objects, 0),
          bytes: rows.reduce((sum, row) => sum + Number(row.bytes ?? 0), 0),
        };
      };
      const held = aside.find(({ store_id }) => store_id === store);
      reconciled.set({ store }, Number(ended_at) / 1000);
      orphans.set({ store }, of('orphan').objects);
      orphanBytes.set({ store }, of('orphan').bytes);
      missing.set({ store }, of('missing', 'wrong_size').objects);
      quarantined.set({ store }, held?.objects ?? 0);
      quarantinedBytes.set({ store }, Number(held?.bytes ?? 0));
    }
  }
}
