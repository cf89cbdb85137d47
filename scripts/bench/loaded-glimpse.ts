import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '@glimpse/persistence';
import { type Glimpse, ImageApi, startGlimpse, waitFor } from '@glimpse/testing';
import { findInMotion } from '../../test/fault/chaos/at-rest.js';
import { ComputeHost } from '../../test/fault/snapshot-load/compute-host.js';
import { findBrokenPromises } from '../../test/fault/snapshot-load/promise-check.js';
import { SnapshotEvents } from '../../test/fault/snapshot-load/snapshot-events.js';
import type { PlannedSnapshot } from '../../test/fault/snapshot-load/snapshot-plan.js';
import { cpuSeconds } from './processes.js';

const CONNECTIONS = 4;
/** Jobs that a worker runs at once: what it does unless told otherwise. */
export const JOBS_AT_ONCE = 4;
const REST_MS = 300_000;

/** A Glimpse of several processes, those who ask it for snapshots, and those who watch it. */
export class LoadedGlimpse {
  readonly asked: PlannedSnapshot[] = [];
  readonly copies = new Map<string, number>();

  private constructor(
    readonly glimpse: Glimpse,
    readonly database: Database,
    readonly events: SnapshotEvents,
    readonly hosts: readonly ComputeHost[],
    private readonly store: string,
  ) {}

  /** `roots` is the directory of the disks. Whoever starts it stops it. */
  static async start(folder: string, roots: string, workers: number): Promise<LoadedGlimpse> {
    const store = join(folder, 'store');
    const glimpse = await startGlimpse({
      mode: 'distributed',
      env: {
        GLIMPSE_STORES: JSON.stringify({ one: { type: 'file', datadir: store } }),
        GLIMPSE_DEFAULT_STORE: 'one',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: roots,
        GLIMPSE_STORE_WORKER_CONCURRENCY: String(JOBS_AT_ONCE),
        // Nothing of it may be forgotten before it was looked at.
        GLIMPSE_OUTBOX_RETENTION_MS: String(24 * 3_600_000),
      },
    });
    try {
      for (let n = 1; n < workers; n++) await glimpse.start('store-worker');
      const url = glimpse.env['GLIMPSE_DATABASE_URL'] ?? '';
      const busUrl = glimpse.env['GLIMPSE_BUS_URL'] ?? '';
      return new LoadedGlimpse(
        glimpse,
        await Database.open({ url, poolSize: 2, connectTimeoutMs: 10_000 }),
        await SnapshotEvents.open(busUrl),
        await Promise.all(Array.from({ length: CONNECTIONS }, () => ComputeHost.open(busUrl))),
        store,
      );
    } catch (error) {
      await glimpse.stop();
      throw error;
    }
  }

  get processes(): { name: string; pid: number }[] {
    return (['api-gateway', 'registry', 'store-worker'] as const).flatMap((service) =>
      this.glimpse
        .running(service)
        .map(({ pid }, n, all) => ({ name: all.length === 1 ? service : `${service} ${n + 1}`, pid })),
    );
  }

  /** CPU seconds that all services have used so far. */
  get cpuSeconds(): number {
    return this.processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  }

  get replyCount(): number {
    return this.hosts.reduce((sum, host) => sum + host.replyCount, 0);
  }

  async atRest(): Promise<void> {
    const isAtRest = async () => (await findInMotion(this.database)).length === 0;
    await waitFor('everything to be at rest', isAtRest, REST_MS);
  }

  brokenPromises(): Promise<string[]> {
    return findBrokenPromises({
      api: new ImageApi(() => this.glimpse.url),
      database: this.database,
      busUrl: this.glimpse.env['GLIMPSE_BUS_URL'] ?? '',
      storeDirs: [this.store],
      planned: this.asked,
      events: this.events,
      replies: this.hosts.flatMap((host) => host.replies),
      copies: this.copies,
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.events.close();
    await this.database.close();
    await this.glimpse.stop();
    await rm(this.store, { recursive: true, force: true });
  }
}
