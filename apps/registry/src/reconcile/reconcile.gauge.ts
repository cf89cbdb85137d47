import { gauge, metricNames } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';

const MEASURE_EVERY_MS = 60_000;

const gaugeOfStores = (name: string, help: string) => gauge({ name, help, labelNames: ['store'] });

const orphans = gaugeOfStores(metricNames.storeOrphans, 'Data that lies in a store and belongs to no image.');
const orphanBytes = gaugeOfStores(metricNames.storeOrphanBytes, 'Bytes of data that belongs to no image.');
const missing = gaugeOfStores(
  metricNames.storeMissing,
  'Data of images that is not in its store, or has another size there.',
);
const quarantined = gaugeOfStores(metricNames.storeQuarantine, 'Data that is set aside.');
const quarantinedBytes = gaugeOfStores(metricNames.storeQuarantineBytes, 'Bytes of data that is set aside.');
const reconciled = gaugeOfStores(
  metricNames.storeReconciled,
  'When a store was last compared with the database, in seconds since 1970.',
);

interface Counts {
  store_id: string;
  kind: string;
  objects: number;
  /** MySQL gives sums as text. */
  bytes: number | string | null;
}

/** Tells what is known of the stores and when they were compared; every registry the same, whoever found it out. */
@Injectable()
export class ReconcileGauge {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('counting of what stores hold', settings.logger, () => this.measure());
  }

  start(): void {
    this.repeater.start(() => MEASURE_EVERY_MS);
  }

  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Looks once. */
  async measure(): Promise<void> {
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
