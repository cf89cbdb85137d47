import type { NewMetadefContent } from '@glimpse/contracts';
import {
  type Database,
  type Transaction,
  deleteNamespace,
  findAssociation,
  findChild,
  insertAssociation,
  insertContent,
  insertNamespace,
  insertObject,
  insertProperty,
  insertTags,
  takeNamespace,
  toDatabaseTime,
  updateAssociation,
  updateNamespace,
  updateObject,
  updateProperty,
} from '@glimpse/persistence';
import type { Definition } from './definition-files.js';

/** What becomes of what is there already: it stays as it is, gets what it lacks, is brought up to the file, or goes. */
export type LoadMode = 'skip' | 'merge' | 'prefer-new' | 'overwrite';
export type LoadOutcome = 'created' | 'skipped' | 'merged' | 'updated' | 'replaced';

/** What keeps a rehearsal from being committed. */
class Rehearsed extends Error {
  constructor(readonly outcome: LoadOutcome) {
    super('Rehearsed');
  }
}

/** Glance's loader marks the resource types of a file. */
const SEEDED = { isSeeded: true } as const;

/** Loads what a file defines, all of it or, where `isRehearsal`, nothing, but as far as it can be told that it would go. */
export async function loadDefinition(
  database: Database,
  definition: Definition,
  mode: LoadMode,
  isRehearsal: boolean,
): Promise<LoadOutcome> {
  try {
    return await database.unitOfWork.run(async (tx) => {
      const outcome = await load(tx, definition, mode, toDatabaseTime(Date.now()));
      if (isRehearsal) throw new Rehearsed(outcome);
      return outcome;
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.outcome;
    throw error;
  }
}

async function load(
  tx: Transaction,
  { namespace, content }: Definition,
  mode: LoadMode,
  now: string,
): Promise<LoadOutcome> {
  const stored = await takeNamespace(tx, namespace.namespace);
  if (stored !== undefined && mode === 'skip') return 'skipped';
  if (stored !== undefined && mode === 'overwrite') await deleteNamespace(tx, stored.id);
  if (stored === undefined || mode === 'overwrite') {
    const id = await insertNamespace(tx, namespace, now);
    await insertContent(tx, id, content, now, SEEDED);
    return stored === undefined ? 'created' : 'replaced';
  }
  const isNewPreferred = mode === 'prefer-new';
  if (isNewPreferred) await updateNamespace(tx, stored.id, namespace, now);
  await mergeContent(tx, stored.id, content, isNewPreferred, now);
  return isNewPreferred ? 'updated' : 'merged';
}

async function mergeContent(
  tx: Transaction,
  id: number,
  content: NewMetadefContent,
  isNewPreferred: boolean,
  now: string,
): Promise<void> {
  for (const association of content.associations) {
    const isThere = (await findAssociation(tx, id, association.name)) !== undefined;
    if (!isThere) await insertAssociation(tx, id, association, now, SEEDED);
    else if (isNewPreferred) await updateAssociation(tx, id, association, now);
  }
  for (const object of content.objects) {
    const row = await findChild(tx, 'metadef_objects', id, object.name);
    if (row === undefined) await insertObject(tx, id, object, now);
    else if (isNewPreferred) await updateObject(tx, row.id, object, now);
  }
  for (const [name, property] of Object.entries(content.properties)) {
    const row = await findChild(tx, 'metadef_properties', id, name);
    if (row === undefined) await insertProperty(tx, id, name, property, now);
    else if (isNewPreferred) await updateProperty(tx, row.id, name, property, now);
  }
  for (const tag of content.tags)
    if ((await findChild(tx, 'metadef_tags', id, tag)) === undefined) await insertTags(tx, id, [tag], now);
}
