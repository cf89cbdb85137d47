import { type Properties, ServiceError } from '@glimpse/contracts';
import { type ImagePropertyRow, type Transaction, UniqueViolation, inStatements } from '@glimpse/persistence';

const duplicate = (name: string, cause: unknown) =>
  new ServiceError('PROPERTY_DUPLICATE', `The database takes ${name} for a property that is there already.`, {
    cause,
  });

const newRow = (imageId: string, name: string, value: string | null, now: string) => ({
  image_id: imageId,
  name,
  value,
  created_at: now,
  updated_at: now,
  deleted: 0 as const,
});

/** Adds the properties of a new image. */
export async function insertProperties(
  tx: Transaction,
  imageId: string,
  properties: readonly (readonly [string, string | null])[],
  now: string,
): Promise<void> {
  try {
    await tx.insert(
      'image_properties',
      properties.map(([name, value]) => newRow(imageId, name, value, now)),
    );
  } catch (error) {
    // MySQL's unique key ignores case, accents and blanks at the end.
    if (error instanceof UniqueViolation) throw duplicate('one of the names', error);
    throw error;
  }
}

type ExistingRow = Pick<ImagePropertyRow, 'id' | 'name'>;

/** Saves the difference. A property that was removed keeps its row, which is revived when the property returns. */
export async function saveProperties(
  tx: Transaction,
  imageId: string,
  before: Properties,
  after: Properties,
  now: string,
): Promise<void> {
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const set = Object.entries(after).filter(
    ([name, value]) => !Object.hasOwn(before, name) || before[name] !== value,
  );
  if (removed.length === 0 && set.length === 0) return;
  const rows = await tx.query<ExistingRow>('SELECT id, name FROM image_properties WHERE image_id = ?', [
    imageId,
  ]);
  const rowIds = new Map(rows.map(({ id, name }) => [name, id]));
  for (const name of removed)
    await tx.execute('UPDATE image_properties SET deleted = 1, deleted_at = ? WHERE id = ?', [
      now,
      rowIds.get(name) ?? null,
    ]);
  for (const [name, value] of set) {
    const rowId = rowIds.get(name);
    if (rowId !== undefined) await reviveRow(tx, rowId, name, value, now);
  }
  await addProperties(
    tx,
    imageId,
    set.filter(([name]) => !rowIds.has(name)),
    now,
  );
}

const reviveRow = (tx: Transaction, rowId: number, name: string, value: string | null, now: string) =>
  // Unlike Glance we clear deleted_at, or its purge would take the live property (spec/data-model.md section 2).
  tx.execute(
    'UPDATE image_properties SET name = ?, value = ?, updated_at = ?, deleted = 0, deleted_at = NULL WHERE id = ?',
    [name, value, now, rowId],
  );

/** In few statements, unless the database finds one there already: then each of that statement by itself. */
async function addProperties(
  tx: Transaction,
  imageId: string,
  added: readonly (readonly [string, string | null])[],
  now: string,
): Promise<void> {
  const rows = added.map(([name, value]) => newRow(imageId, name, value, now));
  for (const some of inStatements(rows))
    if (some.length === 1 || !(await areInserted(tx, some)))
      for (const row of some) await addProperty(tx, row);
}

type AddedRow = ReturnType<typeof newRow>;

/** False where one of them is there already; then none of them was added. */
async function areInserted(tx: Transaction, ofOneStatement: readonly AddedRow[]): Promise<boolean> {
  try {
    await tx.insert('image_properties', ofOneStatement);
    return true;
  } catch (error) {
    if (error instanceof UniqueViolation) return false;
    throw error;
  }
}

async function addProperty(tx: Transaction, added: AddedRow): Promise<void> {
  const { image_id: imageId, name, value, updated_at: now } = added;
  try {
    await tx.insert('image_properties', [added]);
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    // The database takes another name for the same; only where that property is gone its row can be had.
    const [row] = await tx.query<ExistingRow>(
      'SELECT id, name FROM image_properties WHERE image_id = ? AND name = ? AND deleted = 1',
      [imageId, name],
    );
    if (row === undefined) throw duplicate(name, error);
    await reviveRow(tx, row.id, name, value, now);
  }
}
