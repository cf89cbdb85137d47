import { type Database, type SqlValue, placeholders, toDatabaseTime } from '@glimpse/persistence';
import { OperatorError } from './operator-error.js';

const DAY_MS = 86_400_000;
/** Rows deleted in one transaction, so that others are not held up. */
const BATCH = 500;

export interface PurgeLimits {
  readonly olderThanDays: number;
  /** Rows of each table at most; -1 for any number. */
  readonly maxRows: number;
}

/** What hangs on an image, in an order that the foreign keys allow. */
const children = ['image_properties', 'image_tags', 'image_locations', 'image_members'] as const;

interface Source {
  readonly table: string;
  readonly key: 'id' | 'task_id';
  /** The ids of the rows to go. */
  readonly select: string;
  readonly values: readonly SqlValue[];
}

function sources(limits: PurgeLimits, now: number): Source[] {
  const time = now - limits.olderThanDays * DAY_MS;
  // Not by deleted_at alone, as Glance does: a row that was revived may still have one (spec/data-model.md section 2).
  const gone = (table: string): Source => ({
    table,
    key: 'id',
    select: `SELECT id FROM ${table} WHERE deleted = 1 AND deleted_at < ?`,
    values: [toDatabaseTime(time)],
  });
  return [
    {
      table: 'task_info',
      key: 'task_id',
      select: `SELECT task_id AS id FROM task_info WHERE task_id IN (
        SELECT id FROM tasks WHERE deleted = 1 AND deleted_at < ?)`,
      values: [toDatabaseTime(time)],
    },
    ...children.map(gone),
    // A task whose text is still there, beyond the bound of rows, has to wait.
    { ...gone('tasks'), select: `${gone('tasks').select} AND id NOT IN (SELECT task_id FROM task_info)` },
    {
      table: 'jobs',
      key: 'id',
      select: "SELECT id FROM jobs WHERE status = 'done' AND updated_at < ?",
      values: [time],
    },
  ];
}

/**
 * Deletes for good what was deleted long ago, but for the images' own rows: while those are there, nobody else can
 * have their ids. Answers with the number of rows by table.
 */
export async function purgeChildren(
  database: Database,
  limits: PurgeLimits,
  now = Date.now(),
): Promise<Record<string, number>> {
  const purged: Record<string, number> = {};
  for (const source of sources(limits, now))
    purged[source.table] = await purgeRows(database, source, limits.maxRows);
  return purged;
}

async function purgeRows(database: Database, source: Source, maxRows: number): Promise<number> {
  let purged = 0;
  for (;;) {
    const limit = maxRows < 0 ? BATCH : Math.min(BATCH, maxRows - purged);
    if (limit <= 0) return purged;
    const found = await database.query<{ id: string | number }>(
      `${source.select} LIMIT ${limit}`,
      source.values,
    );
    if (found.length === 0) return purged;
    await deleteRows(
      database,
      source.table,
      source.key,
      found.map(({ id }) => id),
    );
    purged += found.length;
  }
}

async function deleteRows(
  database: Database,
  table: string,
  key: string,
  ids: readonly SqlValue[],
): Promise<void> {
  await database.unitOfWork.run((tx) =>
    tx.execute(`DELETE FROM ${table} WHERE ${key} IN (${placeholders(ids)})`, ids),
  );
}

/**
 * Deletes the rows of images that were deleted long ago, after which anybody may create images with their ids. All of
 * them or none: throws where one still has rows or jobs that hang on it. Answers with the number of rows.
 */
export async function purgeImages(
  database: Database,
  limits: PurgeLimits,
  now = Date.now(),
): Promise<number> {
  const time = toDatabaseTime(now - limits.olderThanDays * DAY_MS);
  const found = await database.query<{ id: string }>(
    `SELECT id FROM images WHERE deleted = 1 AND status = 'deleted' AND deleted_at < ? ORDER BY deleted_at
      ${limits.maxRows < 0 ? '' : `LIMIT ${limits.maxRows}`}`,
    [time],
  );
  const ids = found.map(({ id }) => id);
  const batches = Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) =>
    ids.slice(index * BATCH, (index + 1) * BATCH),
  );
  for (const batch of batches) await assertNothingHangsOn(database, batch);
  for (const batch of batches) await deleteRows(database, 'images', 'id', batch);
  return ids.length;
}

async function assertNothingHangsOn(database: Database, ids: readonly string[]): Promise<void> {
  for (const table of children) {
    const rows = await database.query(
      `SELECT id FROM ${table} WHERE image_id IN (${placeholders(ids)}) LIMIT 1`,
      ids,
    );
    if (rows.length > 0)
      throw new OperatorError(`${table} still has rows of images to purge: run \`purge\` first`);
  }
  const jobs = await database.query<{ id: string }>(
    `SELECT id FROM jobs WHERE status <> 'done' AND image_id IN (${placeholders(ids)}) LIMIT 1`,
    ids,
  );
  // Its data is not removed yet: a new image of that id would lose its own.
  if (jobs.length > 0) throw new OperatorError(`job ${jobs[0]?.id} of an image to purge is not done yet`);
}
