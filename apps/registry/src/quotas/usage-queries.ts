import { type SqlReader, exactly } from '@glimpse/persistence';

const OF_PROJECT = 'FROM images i WHERE OWNED AND i.deleted = 0';
/** A copy to more stores has something left to do. */
const IS_COPIED = `i.status = 'active' AND EXISTS (SELECT 1 FROM image_properties p WHERE p.image_id = i.id
  AND p.deleted = 0 AND p.name = 'os_glance_importing_to_stores' AND p.value <> '')`;

/**
 * Measures what a project has, from the images themselves: nothing is counted beside them, so nothing can drift. The
 * parts, which each say once that the project owns the image (`OWNED`), are added up in one statement, that is at one
 * moment: what moves from one part to another meanwhile is in exactly one of them.
 */
const sumOf =
  (...parts: readonly string[]) =>
  async (sql: SqlReader, project: string): Promise<number> => {
    const owned = exactly('i.owner', project);
    const [row] = await sql.query<{ n: string | number }>(
      `SELECT ${parts.map((part) => `COALESCE((${part.replace('OWNED', owned.sql)}), 0)`).join(' + ')} AS n`,
      parts.flatMap(() => owned.values),
    );
    // MySQL gives a sum as text.
    return Number(row?.n ?? 0);
  };

export const usageQueries = {
  imageCount: sumOf(`SELECT COUNT(*) ${OF_PROJECT}`),

  /** Images that receive data. */
  uploadCount: sumOf(
    `SELECT COUNT(*) ${OF_PROJECT} AND i.status IN ('saving', 'uploading', 'importing')`,
    `SELECT COUNT(*) ${OF_PROJECT} AND ${IS_COPIED}`,
  ),

  /** What is in the stores, each location counted, and what uploads in flight have announced. */
  storageBytes: sumOf(
    `SELECT SUM(i.size * (SELECT COUNT(*) FROM image_locations l WHERE l.image_id = i.id AND l.deleted = 0))
       ${OF_PROJECT} AND i.status NOT IN ('killed', 'deleted', 'pending_delete')`,
    `SELECT SUM(u.size) FROM images i JOIN leases u ON u.image_id = i.id
      WHERE OWNED AND i.deleted = 0 AND i.status = 'saving'
        AND u.kind = 'upload' AND u.state IN ('held', 'reaping')`,
  ),

  stagingBytes: sumOf(
    `SELECT SUM(i.size) ${OF_PROJECT} AND i.status IN ('uploading', 'importing')`,
    `SELECT SUM(u.size) FROM images i JOIN leases u ON u.image_id = i.id
      WHERE OWNED AND i.deleted = 0 AND i.status = 'uploading' AND i.size IS NULL
        AND u.kind = 'upload' AND u.state IN ('held', 'reaping')`,
    `SELECT SUM(i.size) ${OF_PROJECT} AND ${IS_COPIED}`,
  ),
} as const;
