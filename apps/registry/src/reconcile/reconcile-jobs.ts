import {
  type DataCount,
  type JobPayload,
  type JobResult,
  type ReconcileReport,
  type WireError,
  storeEvents,
} from '@glimpse/contracts';
import type { ReconcileRunRow, SqlReader, SqlValue, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { Quarantine } from './quarantine.js';
import { StoreFindings } from './store-findings.js';

type Payload = JobPayload<'reconcile'>;

/** How long reports are kept. */
const KEPT_FOR_MS = 30 * 86_400_000;

/** What comes of a comparison of a store with the database. */
@Injectable()
export class ReconcileJobs implements JobEffect<'reconcile'> {
  readonly kind = 'reconcile';

  constructor(
    private readonly findings: StoreFindings,
    private readonly quarantine: Quarantine,
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  async started(tx: Transaction, { runId }: Payload): Promise<void> {
    await tx.execute(
      "UPDATE reconcile_runs SET status = 'running', started_at = ?, ended_at = NULL, error = NULL WHERE id = ?",
      [this.clock.now(), runId],
    );
  }

  /** The store was gone through from end to end: what was not seen is not there any more. */
  async completed(tx: Transaction, payload: Payload, result: JobResult<'reconcile'>): Promise<void> {
    const { runId, storeId, scope, repair } = payload;
    const [run] = await tx.query<Pick<ReconcileRunRow, 'started_at'>>(
      'SELECT started_at FROM reconcile_runs WHERE id = ?',
      [runId],
    );
    if (run === undefined) return;
    if (scope === 'store') await this.findings.forgetUnseen(tx, storeId, run.started_at);
    await this.quarantine.forgetUnseen(tx, storeId, run.started_at);
    const report = await this.describe(tx, storeId, result);
    const now = this.clock.now();
    await tx.execute("UPDATE reconcile_runs SET status = 'done', ended_at = ?, report = ? WHERE id = ?", [
      now,
      JSON.stringify(report),
      runId,
    ]);
    await tx.execute(
      "DELETE FROM reconcile_runs WHERE store_id = ? AND status <> 'running' AND started_at < ?",
      [storeId, now - KEPT_FOR_MS],
    );
    await this.outbox.write(tx, storeEvents.reconciled, storeId, { runId, storeId, repair, report });
    tx.afterCommit(() => {
      const { foreign: _foreign, ...counts } = report;
      this.settings.logger.info({ store: storeId, ...counts }, 'a store was compared with the database');
    });
  }

  async failed(tx: Transaction, { runId }: Payload, error: WireError): Promise<void> {
    await tx.execute("UPDATE reconcile_runs SET status = 'failed', ended_at = ?, error = ? WHERE id = ?", [
      this.clock.now(),
      JSON.stringify({ code: error.code, message: error.message }),
      runId,
    ]);
  }

  private async describe(
    sql: SqlReader,
    storeId: string,
    result: JobResult<'reconcile'>,
  ): Promise<ReconcileReport> {
    const found = (more: string, ...values: SqlValue[]) =>
      count(sql, `FROM store_findings WHERE store_id = ? AND ${more}`, [storeId, ...values]);
    return {
      ...result,
      orphans: await found("kind = 'orphan'"),
      unknown: await found("kind = 'orphan' AND is_known = 0"),
      missing: (await found("kind = 'missing'")).objects,
      wrongSize: (await found("kind = 'wrong_size'")).objects,
      quarantine: await count(sql, 'FROM quarantined_objects WHERE store_id = ?', [storeId]),
    };
  }
}

async function count(sql: SqlReader, from: string, values: readonly SqlValue[]): Promise<DataCount> {
  const [row] = await sql.query<{ objects: number; bytes: number | string | null }>(
    `SELECT COUNT(*) AS objects, SUM(size) AS bytes ${from}`,
    values,
  );
  // MySQL gives sums as text.
  return { objects: row?.objects ?? 0, bytes: Number(row?.bytes ?? 0) };
}
