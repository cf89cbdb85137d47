import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { snapshotsInProgress } from './snapshot-metrics.js';

const HOUR_MS = 3_600_000;
const BATCH = 500;

/** Forgets requests that ended long ago, and counts those that go on. */
@Injectable()
export class SnapshotUpkeep {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('upkeep of snapshots', settings.logger, () => this.look());
  }

  start(): void {
    this.repeater.start(() => this.settings.config.leases.reaperIntervalMs);
  }

  /** Resolves when it is not at work any more. */
  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Looks once; forgets so many at a time that nobody waits for it. */
  async look(): Promise<void> {
    const [counted] = await this.database.query<{ snapshots: number }>(
      "SELECT COUNT(*) AS snapshots FROM snapshot_requests WHERE status = 'accepted'",
    );
    snapshotsInProgress.set(counted?.snapshots ?? 0);
    const before = this.clock.now() - this.settings.config.snapshots.retentionHours * HOUR_MS;
    for (const status of ['completed', 'failed', 'cancelled']) await this.forget(status, before);
  }

  private async forget(status: string, before: number): Promise<void> {
    const old = await this.database.query<{ project_id: string; request_id: string }>(
      `SELECT project_id, request_id FROM snapshot_requests WHERE status = ? AND updated_at < ? LIMIT ${BATCH}`,
      [status, before],
    );
    if (old.length === 0) return;
    await this.database.unitOfWork.run(async (tx) => {
      for (const { project_id: project, request_id: request } of old)
        await tx.execute('DELETE FROM snapshot_requests WHERE project_id = ? AND request_id = ?', [
          project,
          request,
        ]);
    });
  }
}
