import type {
  MetadefAssociation,
  MetadefContent,
  MetadefNamespace,
  MetadefObject,
  MetadefProperty,
  MetadefTag,
} from '@glimpse/contracts';
import { metadefPath } from './metadef-path.js';

// Metadata definitions as clients see them. Attributes without a value are left out, never null.

type Described = Readonly<Record<string, unknown>>;

const present = (view: Described): Described =>
  Object.fromEntries(Object.entries(view).filter(([, value]) => value !== null));

const times = ({ createdAt, updatedAt }: { createdAt: string; updatedAt: string }) => ({
  created_at: createdAt,
  updated_at: updatedAt,
});

/** A namespace without what is in it. */
export const viewNamespace = (namespace: MetadefNamespace): Described =>
  present({
    namespace: namespace.namespace,
    display_name: namespace.displayName,
    description: namespace.description,
    visibility: namespace.visibility,
    protected: namespace.protected,
    owner: namespace.owner,
    ...times(namespace),
    self: metadefPath(namespace.namespace),
    schema: '/v2/schemas/metadefs/namespace',
  });

/** What a list shows of a namespace. */
export const viewListedNamespace = (
  namespace: MetadefNamespace,
  associations: readonly MetadefAssociation[],
): Described => ({
  ...viewNamespace(namespace),
  ...(associations.length > 0 ? { resource_type_associations: associations.map(viewAssociation) } : {}),
});

/** A namespace and all that is in it; of what it has none the key is left out. */
export const viewWholeNamespace = (namespace: MetadefNamespace, content: MetadefContent): Described => ({
  ...viewListedNamespace(namespace, content.associations),
  ...(Object.keys(content.properties).length > 0 ? { properties: content.properties } : {}),
  ...(content.objects.length > 0
    ? { objects: content.objects.map((object) => viewObject(namespace.namespace, object)) }
    : {}),
  ...(content.tags.length > 0 ? { tags: content.tags.map(({ name }) => ({ name })) } : {}),
});

export const viewAssociation = (association: MetadefAssociation): Described =>
  present({
    name: association.name,
    prefix: association.prefix,
    properties_target: association.propertiesTarget,
    ...times(association),
  });

export const viewObject = (namespace: string, object: MetadefObject): Described =>
  present({
    name: object.name,
    description: object.description,
    required: object.required,
    properties: object.properties,
    ...times(object),
    self: metadefPath(namespace, 'objects', object.name),
    schema: '/v2/schemas/metadefs/object',
  });

export const viewProperty = (name: string, property: MetadefProperty): Described => ({ ...property, name });

export const viewTag = (tag: MetadefTag): Described => ({ name: tag.name, ...times(tag) });

const withPrefix = <T>(prefix: string, properties: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(properties).map(([name, property]) => [`${prefix}${name}`, property]));

/** The content with the names that its properties have on resources of a type; as it is where there is no such type. */
export function forResourceType(content: MetadefContent, resourceType: string): MetadefContent {
  const prefix = content.associations.find(({ name }) => name === resourceType)?.prefix ?? '';
  if (prefix === '') return content;
  return {
    ...content,
    properties: withPrefix(prefix, content.properties),
    objects: content.objects.map((object) => ({
      ...object,
      properties: withPrefix(prefix, object.properties),
      required: object.required.map((name) => `${prefix}${name}`),
    })),
  };
}
