import type { SqlReader, SqlValue } from '@glimpse/persistence';

/** What a copy to more stores has left to do. */
const IS_COPIED = `EXISTS (SELECT 1 FROM image_properties p WHERE p.image_id = i.id AND p.deleted = 0
  AND p.name = 'os_glance_importing_to_stores' AND p.value <> '')`;
const OF_PROJECT = 'FROM images i WHERE i.owner = ? AND i.deleted = 0';

async function numberFrom(sql: SqlReader, statement: string, values: readonly SqlValue[]): Promise<number> {
  const [row] = await sql.query<{ n: string | number | null }>(statement, values);
  // MySQL gives a sum as text.
  return Number(row?.n ?? 0);
}

/** Measures what a project has, from the images themselves: nothing is counted beside them, so nothing can drift. */
export const usageQueries = {
  imageCount: (sql: SqlReader, project: string) =>
    numberFrom(sql, `SELECT COUNT(*) AS n ${OF_PROJECT}`, [project]),

  /** Images that receive data. */
  uploadCount: async (sql: SqlReader, project: string) =>
    (await numberFrom(
      sql,
      `SELECT COUNT(*) AS n ${OF_PROJECT} AND i.status IN ('saving', 'uploading', 'importing')`,
      [project],
    )) +
    (await numberFrom(sql, `SELECT COUNT(*) AS n ${OF_PROJECT} AND i.status = 'active' AND ${IS_COPIED}`, [
      project,
    ])),

  /** What is in the stores, each location counted, and what uploads in flight have announced. */
  storageBytes: async (sql: SqlReader, project: string) =>
    (await numberFrom(
      sql,
      `SELECT SUM(i.size * (SELECT COUNT(*) FROM image_locations l WHERE l.image_id = i.id AND l.deleted = 0)) AS n
         ${OF_PROJECT} AND i.status NOT IN ('killed', 'deleted', 'pending_delete')`,
      [project],
    )) +
    (await numberFrom(
      sql,
      `SELECT SUM(u.size) AS n FROM images i JOIN leases u ON u.image_id = i.id
        WHERE i.owner = ? AND i.deleted = 0 AND i.status = 'saving' AND u.kind = 'upload' AND u.state IN ('held', 'reaping')`,
      [project],
    )),

  stagingBytes: async (sql: SqlReader, project: string) =>
    (await numberFrom(
      sql,
      `SELECT SUM(i.size) AS n ${OF_PROJECT} AND i.status IN ('uploading', 'importing')`,
      [project],
    )) +
    (await numberFrom(sql, `SELECT SUM(i.size) AS n ${OF_PROJECT} AND i.status = 'active' AND ${IS_COPIED}`, [
      project,
    ])),
} as const;
