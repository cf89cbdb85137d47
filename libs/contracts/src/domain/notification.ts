import { z } from 'zod';

/** What Glance notifies other services of (spec of its `event_type`). */
export const notificationTypes = [
  'image.create',
  'image.update',
  'image.prepare',
  'image.upload',
  'image.activate',
  'image.send',
  'image.delete',
  'image.member.create',
  'image.member.update',
  'image.member.delete',
  'task.create',
  'task.run',
  'task.processing',
  'task.success',
  'task.failure',
  'task.delete',
  'metadef_namespace.create',
  'metadef_namespace.update',
  'metadef_namespace.delete',
  'metadef_namespace.delete_objects',
  'metadef_namespace.delete_properties',
  'metadef_namespace.delete_tags',
  'metadef_object.create',
  'metadef_object.update',
  'metadef_object.delete',
  'metadef_property.create',
  'metadef_property.update',
  'metadef_property.delete',
  'metadef_resource_type.create',
  'metadef_resource_type.delete',
  'metadef_tag.create',
  'metadef_tag.update',
  'metadef_tag.delete',
] as const;
export type NotificationType = (typeof notificationTypes)[number];

const groupOf = (type: string) => type.slice(0, type.indexOf('.'));

/** The parts of the types before their first dot: `image`, `task`, `metadef_namespace`, … */
export const notificationGroups: readonly string[] = [...new Set(notificationTypes.map(groupOf))];

/** Whether one of the names, of types or of groups, stands for the type. */
export const isNotificationNamed = (type: NotificationType, names: readonly string[]): boolean =>
  names.includes(type) || names.includes(groupOf(type));

/** That image data was sent to somebody, or a part of what was asked for. */
export const SentData = z.object({
  /** Unique: the same one again says nothing new. */
  id: z.uuid(),
  imageId: z.string(),
  ownerId: z.string().nullable(),
  receiverProjectId: z.string().nullable(),
  receiverUserId: z.string().nullable(),
  bytesSent: z.int().min(0),
  /** All that was asked for was sent. */
  isComplete: z.boolean(),
  /** The peer's address, where the bytes came from the cache; null otherwise. */
  destinationIp: z.string().nullable(),
  /** When the last byte was sent: ISO 8601, UTC. */
  sentAt: z.iso.datetime(),
});
export type SentData = z.output<typeof SentData>;
