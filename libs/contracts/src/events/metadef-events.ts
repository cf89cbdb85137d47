import { z } from 'zod';
import {
  MetadefAssociation,
  MetadefNamespace,
  MetadefObject,
  MetadefTag,
} from '../domain/metadefs/metadef.js';
import { MetadefProperty } from '../domain/metadefs/property-document.js';
import { event } from '../event.js';

const OfNamespace = z.object({ namespace: MetadefNamespace });
/** The child events name their namespace. */
const InNamespace = z.object({ namespace: z.string() });
const OfObject = InNamespace.extend({ object: MetadefObject });
const OfProperty = InNamespace.extend({ name: z.string(), property: MetadefProperty });
const OfAssociation = InNamespace.extend({ association: MetadefAssociation });
const OfTag = InNamespace.extend({ tag: MetadefTag });

/** Facts about metadata definitions; the subject is the name of the namespace (before the change). */
export const metadefEvents = {
  /** What was created in it follows, an event each. */
  namespaceCreated: event('metadef_namespace.created', { payload: OfNamespace }),
  namespaceUpdated: event('metadef_namespace.updated', {
    payload: OfNamespace.extend({ previous: MetadefNamespace }),
  }),
  /** With all that was in it. */
  namespaceDeleted: event('metadef_namespace.deleted', { payload: OfNamespace }),
  objectsDeleted: event('metadef_namespace.objects_deleted', { payload: OfNamespace }),
  propertiesDeleted: event('metadef_namespace.properties_deleted', { payload: OfNamespace }),
  tagsDeleted: event('metadef_namespace.tags_deleted', { payload: OfNamespace }),

  objectCreated: event('metadef_object.created', { payload: OfObject }),
  objectUpdated: event('metadef_object.updated', { payload: OfObject.extend({ previous: MetadefObject }) }),
  objectDeleted: event('metadef_object.deleted', { payload: OfObject }),

  propertyCreated: event('metadef_property.created', { payload: OfProperty }),
  propertyUpdated: event('metadef_property.updated', {
    payload: OfProperty.extend({ previousName: z.string() }),
  }),
  propertyDeleted: event('metadef_property.deleted', { payload: OfProperty }),

  resourceTypeAssociated: event('metadef_resource_type.created', { payload: OfAssociation }),
  resourceTypeDissociated: event('metadef_resource_type.deleted', { payload: OfAssociation }),

  tagCreated: event('metadef_tag.created', { payload: OfTag }),
  tagUpdated: event('metadef_tag.updated', { payload: OfTag.extend({ previous: MetadefTag }) }),
  tagDeleted: event('metadef_tag.deleted', { payload: OfTag }),
} as const;
