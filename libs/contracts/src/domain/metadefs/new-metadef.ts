import { z } from 'zod';
import type {
  MetadefAssociationDocument,
  MetadefNamespaceDocument,
  MetadefObjectDocument,
} from './documents.js';
import { MetadefVisibility } from './documents.js';
import { MetadefProperties, toStoredProperties } from './property-document.js';

// What is to be kept of the documents: without what nobody can set, and with every default in its place.

export const NewMetadefNamespace = z.object({
  namespace: z.string(),
  displayName: z.string().nullable(),
  description: z.string().nullable(),
  visibility: MetadefVisibility,
  protected: z.boolean(),
  /** The caller's project where it is left out. */
  owner: z.string().optional(),
});
export type NewMetadefNamespace = z.output<typeof NewMetadefNamespace>;

export const NewMetadefAssociation = z.object({
  name: z.string(),
  prefix: z.string().nullable(),
  propertiesTarget: z.string().nullable(),
});
export type NewMetadefAssociation = z.output<typeof NewMetadefAssociation>;

export const NewMetadefObject = z.object({
  name: z.string(),
  description: z.string().nullable(),
  required: z.array(z.string()),
  properties: MetadefProperties,
});
export type NewMetadefObject = z.output<typeof NewMetadefObject>;

export const NewMetadefContent = z.object({
  associations: z.array(NewMetadefAssociation),
  objects: z.array(NewMetadefObject),
  properties: MetadefProperties,
  /** Their names. */
  tags: z.array(z.string()),
});
export type NewMetadefContent = z.output<typeof NewMetadefContent>;

export function toNewNamespace(document: MetadefNamespaceDocument): NewMetadefNamespace {
  return {
    namespace: document.namespace,
    displayName: document.display_name ?? null,
    description: document.description ?? null,
    visibility: document.visibility ?? 'private',
    protected: document.protected ?? false,
    ...(document.owner === undefined ? {} : { owner: document.owner }),
  };
}

export function toNewContent(document: MetadefNamespaceDocument): NewMetadefContent {
  return {
    associations: (document.resource_type_associations ?? []).map(toNewAssociation),
    objects: (document.objects ?? []).map(toNewObject),
    properties: toStoredProperties(document.properties ?? {}),
    tags: (document.tags ?? []).map(({ name }) => name),
  };
}

export function toNewAssociation(document: MetadefAssociationDocument): NewMetadefAssociation {
  return {
    name: document.name,
    prefix: document.prefix ?? null,
    propertiesTarget: document.properties_target ?? null,
  };
}

export function toNewObject(document: MetadefObjectDocument): NewMetadefObject {
  return {
    name: document.name,
    description: document.description ?? null,
    required: document.required ?? [],
    properties: toStoredProperties(document.properties ?? {}),
  };
}
