import { z } from 'zod';
import { Timestamp } from '../image.js';
import { MetadefVisibility } from './documents.js';
import { MetadefProperties } from './property-document.js';

/** A catalogue of properties, objects and tags that belong together. */
export const MetadefNamespace = z.object({
  namespace: z.string(),
  displayName: z.string().nullable(),
  description: z.string().nullable(),
  visibility: MetadefVisibility,
  protected: z.boolean(),
  owner: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type MetadefNamespace = z.output<typeof MetadefNamespace>;

export const MetadefResourceType = z.object({
  name: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type MetadefResourceType = z.output<typeof MetadefResourceType>;

/** That a namespace is meant for resources of a type. */
export const MetadefAssociation = MetadefResourceType.extend({
  prefix: z.string().nullable(),
  propertiesTarget: z.string().nullable(),
});
export type MetadefAssociation = z.output<typeof MetadefAssociation>;

/** Properties that make sense together. */
export const MetadefObject = z.object({
  name: z.string(),
  description: z.string().nullable(),
  required: z.array(z.string()),
  properties: MetadefProperties,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type MetadefObject = z.output<typeof MetadefObject>;

export const MetadefTag = z.object({ name: z.string(), createdAt: Timestamp, updatedAt: Timestamp });
export type MetadefTag = z.output<typeof MetadefTag>;

/** What is in a namespace. */
export const MetadefContent = z.object({
  associations: z.array(MetadefAssociation),
  objects: z.array(MetadefObject),
  properties: MetadefProperties,
  tags: z.array(MetadefTag),
});
export type MetadefContent = z.output<typeof MetadefContent>;

export const metadefNamespaceSortKeys = [
  'id',
  'namespace',
  'display_name',
  'description',
  'visibility',
  'protected',
  'owner',
  'created_at',
  'updated_at',
] as const;
export const metadefTagSortKeys = ['id', 'namespace_id', 'name', 'created_at', 'updated_at'] as const;
const SortDirection = z.enum(['asc', 'desc']);

/** A request for a page of namespaces. */
export const MetadefNamespaceQuery = z.object({
  /** 0 gives an empty list. */
  limit: z.int().min(0),
  /** The name of the last namespace of the page before. */
  marker: z.string().optional(),
  sortKey: z.enum(metadefNamespaceSortKeys),
  sortDirection: SortDirection,
  visibility: MetadefVisibility.optional(),
  /** Only namespaces that are associated with one of them. */
  resourceTypes: z.array(z.string()).optional(),
});
export type MetadefNamespaceQuery = z.output<typeof MetadefNamespaceQuery>;

/** A request for tags of one namespace. */
export const MetadefTagQuery = z.object({
  limit: z.int().min(1).optional(),
  /** The name of the last tag of the page before. */
  marker: z.string().optional(),
  sortKey: z.enum(metadefTagSortKeys),
  sortDirection: SortDirection,
});
export type MetadefTagQuery = z.output<typeof MetadefTagQuery>;
