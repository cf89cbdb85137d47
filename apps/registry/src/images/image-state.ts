import type { ImageStatus } from '@glimpse/contracts';
import type { ImageRow, SqlValue, Transaction } from '@glimpse/persistence';

/** From which status to which others an image may move (spec/api-images.md section 6). */
const moves: Record<ImageStatus, readonly ImageStatus[]> = {
  queued: ['saving', 'uploading', 'importing', 'active', 'deleted'],
  saving: ['active', 'queued', 'killed', 'deleted'],
  uploading: ['importing', 'queued', 'deleted'],
  importing: ['active', 'queued', 'deleted'],
  active: ['deactivated', 'pending_delete', 'deleted'],
  // Glance does not know the move to pending_delete.
  deactivated: ['active', 'pending_delete', 'deleted'],
  killed: ['deleted'],
  pending_delete: ['deleted', 'active'],
  deleted: [],
};

export const canMove = (from: ImageStatus, to: ImageStatus): boolean => moves[from].includes(to);

type Settable = Partial<
  Pick<
    ImageRow,
    | 'size'
    | 'virtual_size'
    | 'checksum'
    | 'os_hash_algo'
    | 'os_hash_value'
    | 'disk_format'
    | 'container_format'
    | 'deleted'
    | 'deleted_at'
  >
>;

/**
 * Moves an image from one status to another, and sets what else changes with it. False where it is not (or no longer)
 * in that status: then nothing happened. Throws where the move is none that an image makes: a bug of the caller's.
 */
export async function moveImage(
  tx: Transaction,
  id: string,
  move: { from: ImageStatus; to: ImageStatus; now: string; set?: Settable },
): Promise<boolean> {
  if (!canMove(move.from, move.to)) throw new Error(`An image does not move from ${move.from} to ${move.to}`);
  const columns: Record<string, SqlValue> = {
    status: move.to,
    updated_at: move.now,
    // An image that waits for its data (again) has no size.
    ...(move.to === 'queued' ? { size: null, virtual_size: null } : {}),
    ...move.set,
  };
  const names = Object.keys(columns);
  const matched = await tx.execute(
    `UPDATE images SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ? AND status = ? AND deleted = 0`,
    [...Object.values(columns), id, move.from],
  );
  return matched === 1;
}
