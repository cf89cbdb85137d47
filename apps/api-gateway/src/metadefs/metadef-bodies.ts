import {
  MetadefAssociationDocument,
  MetadefNamespaceDocument,
  MetadefObjectDocument,
  MetadefPropertyDocument,
  MetadefTagDocument,
  MetadefTagsDocument,
  ServiceError,
  checkMetadefDocument,
} from '@glimpse/contracts';

const TIMES = ['created_at', 'updated_at'];
const LINKS_AND_TIMES = ['self', 'schema', ...TIMES];

/** Refuses what only the service sets, before anything else is looked at. */
function refuseReadOnly(body: unknown, keys: readonly string[]): void {
  if (typeof body !== 'object' || body === null) return;
  for (const key of keys)
    if (Object.hasOwn(body, key))
      throw new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${key}' is read-only.`);
}

// The bodies of the metadefs API. Codes: PROPERTY_FORBIDDEN, REQUEST_INVALID.

export function parseNamespace(body: unknown): MetadefNamespaceDocument {
  refuseReadOnly(body, LINKS_AND_TIMES);
  return checkMetadefDocument('namespace', MetadefNamespaceDocument, body);
}

export function parseAssociation(body: unknown): MetadefAssociationDocument {
  refuseReadOnly(body, TIMES);
  return checkMetadefDocument('resource_type_association', MetadefAssociationDocument, body);
}

export function parseProperty(body: unknown): MetadefPropertyDocument {
  refuseReadOnly(body, TIMES);
  return checkMetadefDocument('property', MetadefPropertyDocument, body);
}

export function parseObject(body: unknown): MetadefObjectDocument {
  refuseReadOnly(body, LINKS_AND_TIMES);
  return checkMetadefDocument('object', MetadefObjectDocument, body);
}

/** The new name of a tag. */
export function parseTag(body: unknown): string {
  refuseReadOnly(body, TIMES);
  return checkMetadefDocument('tag', MetadefTagDocument, body).name;
}

/** The names of several tags. */
export function parseTags(body: unknown): string[] {
  return checkMetadefDocument('tags', MetadefTagsDocument, body).tags.map(({ name }) => name);
}
