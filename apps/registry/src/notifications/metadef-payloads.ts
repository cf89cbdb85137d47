import type {
  MetadefAssociation,
  MetadefNamespace,
  MetadefObject,
  MetadefProperty,
  MetadefTag,
} from '@glimpse/contracts';

/** What is said of a definition beside itself. */
export interface Saying {
  /** The name before the change. */
  readonly nameOld?: string;
  /** In updates Glance tells when the definition was changed before. */
  readonly updatedAt?: string;
  readonly deletedAt?: string;
}

const deletion = ({ deletedAt = null }: { readonly deletedAt?: string | null }) => ({
  deleted: deletedAt !== null,
  deleted_at: deletedAt,
});

const times = (
  { createdAt, updatedAt }: { readonly createdAt: string; readonly updatedAt: string },
  saying: Saying,
) => ({
  created_at: createdAt,
  updated_at: saying.updatedAt ?? updatedAt,
  ...deletion(saying),
});

export const namespacePayload = (namespace: MetadefNamespace, saying: Saying = {}) => ({
  namespace: namespace.namespace,
  namespace_old: saying.nameOld ?? namespace.namespace,
  display_name: namespace.displayName,
  protected: namespace.protected,
  visibility: namespace.visibility,
  owner: namespace.owner,
  description: namespace.description,
  ...times(namespace, saying),
});

export function objectPayload(namespace: string, object: MetadefObject, saying: Saying = {}) {
  const isDeleted = saying.deletedAt !== undefined;
  return {
    namespace,
    name: object.name,
    name_old: saying.nameOld ?? object.name,
    properties: Object.entries(object.properties).map(([name, property]) => ({
      name,
      ...words(property, (value) => (isFalsy(value) ? null : value)),
    })),
    required: object.required.length > 0 || isDeleted ? object.required : null,
    description: object.description,
    ...times(object, saying),
  };
}

export const propertyPayload = (
  namespace: string,
  { name, property }: { readonly name: string; readonly property: MetadefProperty },
  saying: Saying = {},
) => ({
  namespace,
  name,
  name_old: saying.nameOld ?? name,
  ...words(property, (value) => value ?? null),
  ...deletion(saying),
});

export const resourceTypePayload = (
  namespace: string,
  association: MetadefAssociation,
  saying: Saying = {},
) => ({
  namespace,
  name: association.name,
  name_old: association.name,
  prefix: association.prefix,
  properties_target: association.propertiesTarget,
  ...times(association, saying),
});

export const tagPayload = (namespace: string, tag: MetadefTag, saying: Saying = {}) => ({
  namespace,
  name: tag.name,
  name_old: saying.nameOld ?? tag.name,
  ...times(tag, saying),
});

const WORDS = [
  'type',
  'title',
  'description',
  'default',
  'minimum',
  'maximum',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'confidential',
  'items',
  'uniqueItems',
  'minItems',
  'maxItems',
  'additionalItems',
] as const;

const words = (property: MetadefProperty, shown: (value: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(WORDS.map((word) => [word, shown(property[word])]));

/** As Python has it: inside an object a minimum of 0 is lost, as are empty texts and lists. */
const isFalsy = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);
