import { withoutCredentials } from '@glimpse/contracts';
import {
  type Database,
  type QuarantinedObjectRow,
  type RunRequest,
  placeholders,
} from '@glimpse/persistence';
import { OperatorError } from './operator-error.js';
import { type FinishedRun, beginRuns, waitForRuns } from './reconcile-runs.js';
import { iso } from './shown-values.js';

/** Databases take only so many values in a statement. */
const BATCH = 1_000;

/** Ids of things that are set aside, or how long ago that was; undefined for all. */
export type Chosen = { readonly ids: readonly string[] } | { readonly olderThanMs: number };

/** What is set aside, the oldest first. */
export async function listQuarantine(database: Database, options: { storeId?: string; limit: number }) {
  const rows = await database.query<QuarantinedObjectRow>(
    `SELECT * FROM quarantined_objects ${options.storeId === undefined ? '' : 'WHERE store_id = ?'}
      ORDER BY quarantined_at, id LIMIT ${options.limit}`,
    options.storeId === undefined ? [] : [options.storeId],
  );
  return rows.map((row) => ({
    id: row.id,
    store: row.store_id,
    image: row.image_id,
    size: row.size,
    state: row.state,
    'set aside': iso(row.quarantined_at),
    url: withoutCredentials(row.url),
  }));
}

/** Marks what is to be put back or discarded; answers with the stores that it lies in. Throws where an id is unknown. */
export function chooseFromQuarantine(
  database: Database,
  wanted: 'put-back' | 'discard',
  chosen: Chosen,
  now = Date.now(),
): Promise<{ readonly ids: string[]; readonly storeIds: string[] }> {
  return database.unitOfWork.run(async (tx) => {
    const rows =
      'ids' in chosen
        ? await tx.query<QuarantinedObjectRow>(
            `SELECT id, store_id FROM quarantined_objects WHERE id IN (${placeholders(chosen.ids)})`,
            chosen.ids,
          )
        : await tx.query<QuarantinedObjectRow>(
            "SELECT id, store_id FROM quarantined_objects WHERE state <> 'moving' AND quarantined_at <= ?",
            [now - chosen.olderThanMs],
          );
    const ids = rows.map(({ id }) => id);
    const absent = 'ids' in chosen ? chosen.ids.filter((id) => !ids.includes(id)) : [];
    if (absent.length > 0) throw new OperatorError(`nothing is set aside as ${absent.join(', ')}`);
    for (const id of ids)
      await tx.execute('UPDATE quarantined_objects SET state = ? WHERE id = ?', [wanted, id]);
    return { ids, storeIds: [...new Set(rows.map(({ store_id }) => store_id))] };
  });
}

/** Has the store-workers do what is marked. Answers with what they did, and the ids that are still set aside. */
export async function sweepQuarantine(
  database: Database,
  { ids, storeIds }: { readonly ids: readonly string[]; readonly storeIds: readonly string[] },
  timeoutMs: number,
): Promise<{ readonly runs: FinishedRun[]; readonly left: string[] }> {
  if (ids.length === 0) return { runs: [], left: [] };
  const requests = storeIds.map((storeId): RunRequest => ({
    storeId,
    scope: 'quarantine',
    repair: false,
    discard: false,
    graceMs: 0,
    keepMs: 0,
    soleOwner: false,
  }));
  const runs = await waitForRuns(database, await beginRuns(database, requests), timeoutMs);
  const left: string[] = [];
  for (let from = 0; from < ids.length; from += BATCH) {
    const some = ids.slice(from, from + BATCH);
    const rows = await database.query<{ id: string }>(
      `SELECT id FROM quarantined_objects WHERE id IN (${placeholders(some)})`,
      some,
    );
    left.push(...rows.map(({ id }) => id));
  }
  return { runs, left };
}
