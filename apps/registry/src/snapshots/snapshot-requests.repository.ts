import {
  MAX_REPLY_ADDRESSES,
  type Snapshot,
  SnapshotError,
  SnapshotReplyAddress,
  SnapshotStatus,
} from '@glimpse/contracts';
import type { NewRow, SnapshotRequestRow, SqlReader, Transaction } from '@glimpse/persistence';
import { z } from 'zod';

/** What names a request. */
export interface SnapshotKey {
  readonly projectId: string;
  readonly requestId: string;
}

const Data = z.object({
  size: z.int().nullable(),
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable(),
  osHashValue: z.string().nullable(),
});

const BY_KEY = 'project_id = ? AND request_id = ?';
const valuesOf = ({ projectId, requestId }: SnapshotKey) => [projectId, requestId];

/** The request of the key, if it ever came, or was cancelled. */
export async function findSnapshot(
  sql: SqlReader,
  key: SnapshotKey,
): Promise<SnapshotRequestRow | undefined> {
  const [row] = await sql.query<SnapshotRequestRow>(
    `SELECT * FROM snapshot_requests WHERE ${BY_KEY}`,
    valuesOf(key),
  );
  return row;
}

/** The request that the image was made for, if there is one. */
export async function findSnapshotOf(
  sql: SqlReader,
  imageId: string,
): Promise<SnapshotRequestRow | undefined> {
  const [row] = await sql.query<SnapshotRequestRow>('SELECT * FROM snapshot_requests WHERE image_id = ?', [
    imageId,
  ]);
  return row;
}

/** Writes down that the request came. Throws a `UniqueViolation` where it has come before. */
export const insertSnapshot = (tx: Transaction, row: NewRow<'snapshot_requests'>): Promise<void> =>
  tx.insert('snapshot_requests', [row]);

/** The task by which clients follow it. */
export async function setSnapshotTask(tx: Transaction, key: SnapshotKey, taskId: string): Promise<void> {
  await tx.execute(`UPDATE snapshot_requests SET task_id = ? WHERE ${BY_KEY}`, [taskId, ...valuesOf(key)]);
}

/** Somebody else waits for its end. Nothing happens where that has come. */
export async function addReplyAddress(
  tx: Transaction,
  key: SnapshotKey,
  address: SnapshotReplyAddress,
): Promise<void> {
  const held = await tx.execute(
    `UPDATE snapshot_requests SET updated_at = updated_at WHERE ${BY_KEY} AND status = 'accepted'`,
    valuesOf(key),
  );
  const row = held === 1 ? await findSnapshot(tx, key) : undefined;
  if (row === undefined) return;
  const text = JSON.stringify(address);
  const others = replyAddressesOf(row).filter((other) => JSON.stringify(other) !== text);
  await tx.execute(`UPDATE snapshot_requests SET reply_to = ? WHERE ${BY_KEY}`, [
    JSON.stringify([...others, address].slice(-MAX_REPLY_ADDRESSES)),
    ...valuesOf(key),
  ]);
}

/** Who waits for its end. */
export const replyAddressesOf = ({ reply_to: text }: SnapshotRequestRow): SnapshotReplyAddress[] =>
  text === null ? [] : z.array(SnapshotReplyAddress).parse(JSON.parse(text));

/** The request as it stands. */
export function toSnapshot(row: SnapshotRequestRow): Snapshot {
  return {
    requestId: row.request_id,
    projectId: row.project_id,
    instanceId: row.instance_id,
    imageId: row.image_id,
    taskId: row.task_id,
    status: SnapshotStatus.parse(row.status),
    error: row.error === null ? null : SnapshotError.parse(JSON.parse(row.error)),
    data: row.data === null ? null : Data.parse(JSON.parse(row.data)),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

/** What every event about it begins with; undefined for one that was cancelled before it came: there are none about it. */
export function aboutSnapshot(row: SnapshotRequestRow) {
  const { instance_id, image_id, task_id } = row;
  if (instance_id === null || image_id === null || task_id === null) return undefined;
  const { request_id, project_id } = row;
  return { request_id, project_id, instance_id, image_id, task_id };
}
