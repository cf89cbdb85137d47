import type { MetadefContent, NewMetadefContent } from '@glimpse/contracts';
import type { SqlReader, Transaction } from '../sql.js';
import { type AssociationOptions, insertAssociation, listAssociations } from './associations.js';
import { insertObject, listObjects } from './objects.js';
import { insertProperty, listProperties } from './properties.js';
import { insertTags, listTags } from './tags.js';

/** Everything that is in a namespace, in four statements. */
export async function readContent(sql: SqlReader, namespaceId: number): Promise<MetadefContent> {
  const associations = await listAssociations(sql, [namespaceId]);
  return {
    associations: associations.get(namespaceId) ?? [],
    objects: await listObjects(sql, namespaceId),
    properties: await listProperties(sql, namespaceId),
    tags: await listTags(sql, namespaceId),
  };
}

/** Adds to a namespace. Throws METADEF_DUPLICATE, and REQUEST_INVALID where something is too large. */
export async function insertContent(
  tx: Transaction,
  namespaceId: number,
  content: NewMetadefContent,
  now: string,
  options: AssociationOptions = {},
): Promise<void> {
  for (const association of content.associations)
    await insertAssociation(tx, namespaceId, association, now, options);
  for (const object of content.objects) await insertObject(tx, namespaceId, object, now);
  for (const [name, property] of Object.entries(content.properties))
    await insertProperty(tx, namespaceId, name, property, now);
  await insertTags(tx, namespaceId, content.tags, now);
}
