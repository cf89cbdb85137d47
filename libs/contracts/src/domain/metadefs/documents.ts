import { z } from 'zod';
import { MAX_TEXT_LENGTH } from '../stored-text.js';
import {
  MAX_METADEF_NAME_LENGTH,
  MetadefPropertyMap,
  MetadefPropertyMapInFile,
  StringArray,
  metadefName,
} from './property-document.js';

// The documents of the metadefs API, and of the files that are loaded: the one source of what is checked and published.

const MAX_DESCRIPTION_LENGTH = 500;

export const metadefVisibilities = ['public', 'private'] as const;
export const MetadefVisibility = z.enum(metadefVisibilities);
export type MetadefVisibility = z.output<typeof MetadefVisibility>;

const link = (description: string) => z.string().optional().meta({ readOnly: true, description });
const time = (description: string) =>
  z.string().optional().meta({ readOnly: true, format: 'date-time', description });
/** Clients send what they were shown; nobody can set these. */
const times = (what: string) => ({
  created_at: time(`When the ${what} was made`),
  updated_at: time(`When the ${what} was last changed`),
});
const links = (what: string) => ({
  self: link(`Where the ${what} is`),
  schema: link(`Where the schema of the ${what} is`),
});

export const MetadefAssociationDocument = z.strictObject({
  name: metadefName('Name of the resource type, where possible as Heat names it, e.g. OS::Nova::Flavor'),
  prefix: z.string().max(MAX_METADEF_NAME_LENGTH).optional().meta({
    description: 'What the names of the properties begin with on resources of this type, separator included',
  }),
  properties_target: z.string().max(MAX_METADEF_NAME_LENGTH).optional().meta({
    description:
      'Which of several kinds of properties of the resource is meant, e.g. `image` of a volume, `scheduler_hints` of a server',
  }),
  ...times('association'),
});
export type MetadefAssociationDocument = z.output<typeof MetadefAssociationDocument>;

const objectShape = {
  name: metadefName('Name of the object'),
  description: z.string().optional().meta({ description: 'What the object stands for' }),
  required: StringArray.optional(),
  ...links('object'),
  ...times('object'),
};
// They are kept in one column, joined by commas.
const canBeJoined = ({ required = [] }: { required?: string[] | undefined }) =>
  required.every((name) => name !== '' && !name.includes(','));
const unjoinable = { path: ['required'], message: 'has an empty name, or one with a comma' };

export const MetadefObjectDocument = z
  .strictObject({ ...objectShape, properties: MetadefPropertyMap.optional() })
  .refine(canBeJoined, unjoinable);
export type MetadefObjectDocument = z.output<typeof MetadefObjectDocument>;

export const MetadefTagDocument = z.strictObject({
  name: metadefName('Name of the tag'),
  ...times('tag'),
});
export type MetadefTagDocument = z.output<typeof MetadefTagDocument>;

/** What a bulk request makes. */
export const MetadefTagsDocument = z.strictObject({ tags: z.array(MetadefTagDocument) });

const namespaceShape = {
  namespace: metadefName('Name of the namespace, unique in the cloud'),
  display_name: z
    .string()
    .max(MAX_METADEF_NAME_LENGTH)
    .optional()
    .meta({ description: 'Name of the namespace for people' }),
  description: z
    .string()
    .max(MAX_DESCRIPTION_LENGTH)
    .optional()
    .meta({ description: 'What the namespace is about' }),
  visibility: MetadefVisibility.optional().meta({ description: 'Who sees the namespace' }),
  protected: z
    .boolean()
    .optional()
    .meta({ description: 'Whether the namespace and what is in it are kept from deletion' }),
  owner: z
    .string()
    .max(MAX_TEXT_LENGTH)
    .optional()
    .meta({ description: 'The project that owns the namespace' }),
};
const contentShape = {
  resource_type_associations: z.array(MetadefAssociationDocument).optional(),
  properties: MetadefPropertyMap.optional(),
  objects: z.array(MetadefObjectDocument).optional(),
  tags: z.array(MetadefTagDocument).optional(),
};

export const MetadefNamespaceDocument = z.strictObject({
  ...namespaceShape,
  ...contentShape,
  ...links('namespace'),
  ...times('namespace'),
});
export type MetadefNamespaceDocument = z.output<typeof MetadefNamespaceDocument>;

/** A namespace in a file of Glance's: a description as long as it may be, an owner without whom it is `admin`'s. */
export const MetadefFile = z.strictObject({
  ...namespaceShape,
  ...contentShape,
  description: z.string().optional(),
  owner: z.string().max(MAX_TEXT_LENGTH).default('admin'),
  properties: MetadefPropertyMapInFile.optional(),
  objects: z
    .array(
      z
        .strictObject({ ...objectShape, properties: MetadefPropertyMapInFile.optional() })
        .refine(canBeJoined, unjoinable),
    )
    .optional(),
});
