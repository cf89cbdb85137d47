import { setTimeout as sleep } from 'node:timers/promises';
import { type ReconcileReport, WireError, withoutCredentials } from '@glimpse/contracts';
import {
  type Database,
  type ReconcileRunRow,
  type RunRequest,
  type StoreFindingRow,
  placeholders,
  queueReconcileRun,
} from '@glimpse/persistence';
import { OperatorError } from './operator-error.js';
import { iso } from './shown-values.js';

const POLL_MS = 200;

/** A comparison of a store with the database, and what it came to. */
export interface FinishedRun {
  readonly runId: string;
  readonly storeId: string;
  readonly repair: boolean;
  /** `running`, `done` or `failed`. */
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly report: ReconcileReport | null;
  readonly error: WireError | null;
}

const toRun = (row: ReconcileRunRow): FinishedRun => ({
  runId: row.id,
  storeId: row.store_id,
  repair: row.repairs === 1,
  status: row.status,
  startedAt: iso(row.started_at),
  endedAt: iso(row.ended_at),
  report: row.report === null ? null : (JSON.parse(row.report) as ReconcileReport),
  error: row.error === null ? null : WireError.parse(JSON.parse(row.error)),
});

/** Asks the store-workers for the comparisons; answers with their ids. */
export function beginRuns(
  database: Database,
  requests: readonly RunRequest[],
  now = Date.now(),
): Promise<string[]> {
  return database.unitOfWork.run(async (tx) => {
    const ids: string[] = [];
    for (const request of requests) ids.push((await queueReconcileRun(tx, request, now)).runId);
    return ids;
  });
}

/** The runs when all of them have ended. Throws when they have not by `timeoutMs`; they go on all the same. */
export async function waitForRuns(
  database: Database,
  ids: readonly string[],
  timeoutMs: number,
): Promise<FinishedRun[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const rows = await database.query<ReconcileRunRow>(
      `SELECT * FROM reconcile_runs WHERE id IN (${placeholders(ids)}) ORDER BY store_id`,
      ids,
    );
    const waiting = rows.filter(({ status }) => status === 'running');
    if (waiting.length === 0) return rows.map(toRun);
    if (Date.now() > deadline)
      throw new OperatorError(
        `no store-worker is done with ${waiting.map(({ store_id }) => store_id).join(', ')} yet; see \`reconcile --last\` later`,
      );
    await sleep(POLL_MS);
  }
}

/** The last comparison of each store. */
export async function lastRuns(database: Database, storeIds: readonly string[]): Promise<FinishedRun[]> {
  const runs: FinishedRun[] = [];
  for (const storeId of storeIds) {
    const [row] = await database.query<ReconcileRunRow>(
      `SELECT * FROM reconcile_runs WHERE store_id = ? AND scope = 'store' ORDER BY started_at DESC LIMIT 1`,
      [storeId],
    );
    if (row !== undefined) runs.push(toRun(row));
  }
  return runs;
}

/** Where the stores and the database disagree, as far as is known; the oldest first. */
export async function listFindings(database: Database, storeIds: readonly string[], limit: number) {
  const rows = await database.query<StoreFindingRow>(
    `SELECT * FROM store_findings WHERE store_id IN (${placeholders(storeIds)})
      ORDER BY first_seen_at, id LIMIT ${limit}`,
    storeIds,
  );
  return rows.map((row) => ({
    kind: row.kind,
    store: row.store_id,
    image: row.image_id,
    known: row.is_known === 1 ? 'yes' : 'no',
    size: row.size,
    expected: row.expected_size,
    since: iso(row.first_seen_at),
    url: withoutCredentials(row.url),
  }));
}
