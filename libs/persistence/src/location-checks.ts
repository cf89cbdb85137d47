import { UniqueViolation } from './database-errors.js';
import { type NewRow, type SqlReader, type Transaction, placeholders } from './sql.js';

/** A location that somebody reads from. */
export interface LiveLocation {
  readonly id: number;
  readonly image_id: string;
  readonly value: string;
  /** JSON. */
  readonly meta_data: string | null;
}

const LIVE = "deleted = 0 AND status = 'active'";

/** The locations after the one with that id, in the order of their ids. */
export const findLocationsAfter = (sql: SqlReader, id: number, limit: number): Promise<LiveLocation[]> =>
  sql.query<LiveLocation>(
    `SELECT id, image_id, value, meta_data FROM image_locations WHERE id > ? AND ${LIVE} ORDER BY id LIMIT ${limit}`,
    [id],
  );

/** The locations of an image. */
export const findLocationsOf = (sql: SqlReader, imageId: string): Promise<LiveLocation[]> =>
  sql.query<LiveLocation>(
    `SELECT id, image_id, value, meta_data FROM image_locations WHERE image_id = ? AND ${LIVE} ORDER BY id`,
    [imageId],
  );

/** Those of the locations of which nothing is known yet. */
export async function withoutChecks<L extends Pick<LiveLocation, 'id'>>(
  sql: SqlReader,
  locations: readonly L[],
): Promise<L[]> {
  if (locations.length === 0) return [];
  const rows = await sql.query<{ location_id: number }>(
    `SELECT location_id FROM location_checks WHERE location_id IN (${placeholders(locations)})`,
    locations.map(({ id }) => id),
  );
  const known = new Set(rows.map(({ location_id: id }) => id));
  return locations.filter(({ id }) => !known.has(id));
}

/**
 * Begins to note what is known of the locations; `turnAt` says when each counts as last looked at. Those that somebody
 * else notes at the same time are theirs.
 */
export async function addChecks(
  tx: Transaction,
  locations: readonly Pick<LiveLocation, 'id' | 'image_id'>[],
  turnAt: () => number,
): Promise<void> {
  const rows = locations.map(({ id, image_id }) => ({
    location_id: id,
    image_id,
    state: 'unverified',
    turn_at: turnAt(),
  }));
  if (rows.length === 0 || (await isInserted(tx, rows))) return;
  for (const row of rows) await isInserted(tx, [row]);
}

/** False where a row is there already; a statement that fails leaves the transaction as it was. */
async function isInserted(tx: Transaction, rows: readonly NewRow<'location_checks'>[]): Promise<boolean> {
  try {
    await tx.insert('location_checks', rows);
    return true;
  } catch (error) {
    if (error instanceof UniqueViolation) return false;
    throw error;
  }
}

/**
 * Has the data at the locations read again before all that only has its turn. Those that wait for it, or are being read,
 * are left as they are.
 */
export async function requestChecks(
  tx: Transaction,
  locations: readonly Pick<LiveLocation, 'id' | 'image_id'>[],
  now: number,
): Promise<void> {
  if (locations.length === 0) return;
  await addChecks(tx, await withoutChecks(tx, locations), () => now);
  await tx.execute(
    `UPDATE location_checks SET requested_at = ?
      WHERE location_id IN (${placeholders(locations)}) AND queued_at IS NULL AND requested_at IS NULL`,
    [now, ...locations.map(({ id }) => id)],
  );
}
