import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import {
  MetadefAssociation,
  MetadefContent,
  MetadefNamespace,
  MetadefNamespaceQuery,
  MetadefObject,
  MetadefResourceType,
  MetadefTag,
  MetadefTagQuery,
} from '../domain/metadefs/metadef.js';
import {
  NewMetadefAssociation,
  NewMetadefContent,
  NewMetadefNamespace,
  NewMetadefObject,
} from '../domain/metadefs/new-metadef.js';
import { MetadefProperties, MetadefProperty } from '../domain/metadefs/property-document.js';
import { rpc } from '../rpc.js';

/** Names stand for everything here: any text, looked up, never validated. */
const InNamespace = z.object({ ctx: Caller, namespace: z.string() });
const OnChild = InNamespace.extend({ name: z.string() });
const Done = z.object({});

const NamespaceWithContent = z.object({ namespace: MetadefNamespace, content: MetadefContent });
const NamespaceWithAssociations = z.object({
  namespace: MetadefNamespace,
  associations: z.array(MetadefAssociation),
});

/**
 * All of them: METADEF_NOT_FOUND (also where the caller must not know of the namespace), ACTION_FORBIDDEN; what makes
 * or renames something: METADEF_DUPLICATE; what deletes something: METADEF_PROTECTED.
 */
export const registryMetadefNamespaces = {
  /** The namespace and what is in it, or nothing of it. Code: REQUEST_INVALID without an owner. */
  create: rpc('registry.metadefNamespace.create', {
    request: z.object({ ctx: Caller, namespace: NewMetadefNamespace, content: NewMetadefContent }),
    response: NamespaceWithContent,
  }),
  get: rpc('registry.metadefNamespace.get', { request: InNamespace, response: NamespaceWithContent }),
  /** Code: MARKER_FORBIDDEN. */
  list: rpc('registry.metadefNamespace.list', {
    request: z.object({ ctx: Caller, query: MetadefNamespaceQuery }),
    /** `isFullPage`: the database had as many rows as were asked for, so there may be more. */
    response: z.object({ namespaces: z.array(NamespaceWithAssociations), isFullPage: z.boolean() }),
  }),
  /** Sets all attributes; what is in the namespace stays. */
  update: rpc('registry.metadefNamespace.update', {
    request: InNamespace.extend({ change: NewMetadefNamespace }),
    response: MetadefNamespace,
  }),
  /** With all that is in it. */
  delete: rpc('registry.metadefNamespace.delete', { request: InNamespace, response: Done }),
} as const;

export const registryMetadefResourceTypes = {
  /** All types that were ever associated. */
  list: rpc('registry.metadefResourceType.list', {
    request: z.object({ ctx: Caller }),
    response: z.object({ resourceTypes: z.array(MetadefResourceType) }),
  }),
  listAssociations: rpc('registry.metadefResourceType.listAssociations', {
    request: InNamespace,
    response: z.object({ associations: z.array(MetadefAssociation) }),
  }),
  /** Makes the resource type where it is new. */
  associate: rpc('registry.metadefResourceType.associate', {
    request: InNamespace.extend({ association: NewMetadefAssociation }),
    response: MetadefAssociation,
  }),
  dissociate: rpc('registry.metadefResourceType.dissociate', { request: OnChild, response: Done }),
} as const;

export const registryMetadefProperties = {
  list: rpc('registry.metadefProperty.list', {
    request: InNamespace,
    response: z.object({ properties: MetadefProperties }),
  }),
  create: rpc('registry.metadefProperty.create', {
    request: OnChild.extend({ property: MetadefProperty }),
    response: z.object({ name: z.string(), property: MetadefProperty }),
  }),
  /** With a resource type `name` begins with that association's prefix; the answer's does not. */
  get: rpc('registry.metadefProperty.get', {
    request: OnChild.extend({ resourceType: z.string().optional() }),
    response: z.object({ name: z.string(), property: MetadefProperty }),
  }),
  update: rpc('registry.metadefProperty.update', {
    request: OnChild.extend({ newName: z.string(), property: MetadefProperty }),
    response: z.object({ name: z.string(), property: MetadefProperty }),
  }),
  delete: rpc('registry.metadefProperty.delete', { request: OnChild, response: Done }),
  deleteAll: rpc('registry.metadefProperty.deleteAll', { request: InNamespace, response: Done }),
} as const;

export const registryMetadefObjects = {
  list: rpc('registry.metadefObject.list', {
    request: InNamespace,
    response: z.object({ objects: z.array(MetadefObject) }),
  }),
  create: rpc('registry.metadefObject.create', {
    request: InNamespace.extend({ object: NewMetadefObject }),
    response: MetadefObject,
  }),
  get: rpc('registry.metadefObject.get', { request: OnChild, response: MetadefObject }),
  update: rpc('registry.metadefObject.update', {
    request: OnChild.extend({ object: NewMetadefObject }),
    response: MetadefObject,
  }),
  delete: rpc('registry.metadefObject.delete', { request: OnChild, response: Done }),
  deleteAll: rpc('registry.metadefObject.deleteAll', { request: InNamespace, response: Done }),
} as const;

export const registryMetadefTags = {
  list: rpc('registry.metadefTag.list', {
    request: InNamespace.extend({ query: MetadefTagQuery }),
    response: z.object({ tags: z.array(MetadefTag) }),
  }),
  create: rpc('registry.metadefTag.create', { request: OnChild, response: MetadefTag }),
  /** All of them or none; in place of those that are there, unless `isAppend`. No names change nothing. */
  createMany: rpc('registry.metadefTag.createMany', {
    request: InNamespace.extend({ names: z.array(z.string()), isAppend: z.boolean() }),
    response: z.object({ tags: z.array(MetadefTag) }),
  }),
  get: rpc('registry.metadefTag.get', { request: OnChild, response: MetadefTag }),
  rename: rpc('registry.metadefTag.rename', {
    request: OnChild.extend({ newName: z.string() }),
    response: MetadefTag,
  }),
  delete: rpc('registry.metadefTag.delete', { request: OnChild, response: Done }),
  deleteAll: rpc('registry.metadefTag.deleteAll', { request: InNamespace, response: Done }),
} as const;
