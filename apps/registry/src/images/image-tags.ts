import type { ImageTagRow, Transaction } from '@glimpse/persistence';

/** Adds tags. Each gets a row of its own, also one that the image had before. */
export async function insertTags(
  tx: Transaction,
  imageId: string,
  tags: readonly string[],
  now: string,
): Promise<void> {
  await tx.insert(
    'image_tags',
    tags.map((value) => ({ image_id: imageId, value, created_at: now, updated_at: now, deleted: 0 })),
  );
}

/** Saves the difference. */
export async function saveTags(
  tx: Transaction,
  imageId: string,
  before: readonly string[],
  after: readonly string[],
  now: string,
): Promise<void> {
  const removed = before.filter((tag) => !after.includes(tag));
  const added = after.filter((tag) => !before.includes(tag));
  if (removed.length > 0) await removeTags(tx, imageId, removed, now);
  await insertTags(tx, imageId, added, now);
}

async function removeTags(
  tx: Transaction,
  imageId: string,
  tags: readonly string[],
  now: string,
): Promise<void> {
  const rows = await tx.query<Pick<ImageTagRow, 'id' | 'value'>>(
    'SELECT id, value FROM image_tags WHERE image_id = ? AND deleted = 0',
    [imageId],
  );
  // By id: MySQL would take `A` for `a`.
  for (const { id, value } of rows)
    if (tags.includes(value))
      await tx.execute('UPDATE image_tags SET deleted = 1, deleted_at = ? WHERE id = ?', [now, id]);
}
