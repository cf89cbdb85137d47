import { type Database, toDatabaseTime } from '@glimpse/persistence';
import { OperatorError } from './operator-error.js';

export interface RestoreOptions {
  /** The image was deactivated when it was deleted, and is to be so again. */
  readonly isDeactivated: boolean;
}

/**
 * Undoes the deletion of an image whose data is still kept (`images.delayed_delete`). Unlike Glance we bring its
 * locations back as well, without which it would have no data. Throws where there is no such image.
 */
export async function restoreImage(
  database: Database,
  id: string,
  options: RestoreOptions,
  now = Date.now(),
): Promise<void> {
  await database.unitOfWork.run(async (tx) => {
    const [image] = await tx.query<{ status: string; deleted_at: string | null }>(
      'SELECT status, deleted_at FROM images WHERE id = ?',
      [id],
    );
    if (image === undefined) throw new OperatorError(`there is no image ${id}`);
    const status = options.isDeactivated ? 'deactivated' : 'active';
    const restored = await tx.execute(
      `UPDATE images SET status = ?, deleted = 0, deleted_at = NULL, updated_at = ?
        WHERE id = ? AND status = 'pending_delete' AND deleted = 1`,
      [status, toDatabaseTime(now), id],
    );
    if (restored !== 1)
      throw new OperatorError(
        `image ${id} is ${image.status}; only images that are pending_delete are restored`,
      );
    // What was removed before the image was, stays removed.
    for (const table of ['image_properties', 'image_tags', 'image_members'])
      await tx.execute(
        `UPDATE ${table} SET deleted = 0, deleted_at = NULL WHERE image_id = ? AND deleted = 1 AND deleted_at = ?`,
        [id, image.deleted_at],
      );
    await tx.execute(
      `UPDATE image_locations SET deleted = 0, deleted_at = NULL, status = 'active'
        WHERE image_id = ? AND deleted = 1 AND status = 'pending_delete'`,
      [id],
    );
  });
}
