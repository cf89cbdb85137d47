import {
  type EventDefinition,
  type ImageMember,
  type MetadefNamespace,
  type PayloadOf,
  type TaskSummary,
  imageEvents,
  memberEvents,
  metadefEvents,
  taskEvents,
} from '@glimpse/contracts';
import { imagePayload, memberPayload } from './image-payload.js';
import {
  namespacePayload,
  objectPayload,
  propertyPayload,
  resourceTypePayload,
  tagPayload,
} from './metadef-payloads.js';
import { type Notice, info } from './notice.js';
import { taskBeforeItsRun, taskPayload } from './task-payload.js';

/** `now`: `YYYY-MM-DDTHH:MM:SSZ`. */
type Translate<D extends EventDefinition> = (payload: PayloadOf<D>, now: string) => Notice[];

interface Translation {
  readonly name: string;
  readonly translate: (payload: unknown, now: string) => Notice[];
}

const on = <D extends EventDefinition>(definition: D, translate: Translate<D>): Translation => ({
  name: definition.name,
  // Whoever writes an event gives the payload of its definition: `noticesOf`.
  translate: (payload, now) => translate(payload as PayloadOf<D>, now),
});

type OfImage = PayloadOf<(typeof imageEvents)['updated']>;
const updated = ({ image }: OfImage) => [info('image.update', imagePayload(image))];
const ofMember =
  (type: 'image.member.create' | 'image.member.update') =>
  ({ member }: { readonly member: ImageMember }) => [info(type, memberPayload(member))];
const ofTask =
  (type: 'task.create' | 'task.processing' | 'task.failure') =>
  ({ task }: { readonly task: TaskSummary }, now: string) => [info(type, taskPayload(task, now))];
const inBulk =
  (
    type:
      | 'metadef_namespace.delete_objects'
      | 'metadef_namespace.delete_properties'
      | 'metadef_namespace.delete_tags',
  ) =>
  ({ namespace }: { readonly namespace: MetadefNamespace }) => [info(type, namespacePayload(namespace))];

/**
 * The notifications that go with an event of ours. What goes with the data of images, which Glance tells in more steps
 * than we have events, is written by `ImageNotices`.
 */
const translations = [
  on(imageEvents.created, ({ image }) => [info('image.create', imagePayload(image))]),
  on(imageEvents.updated, updated),
  on(imageEvents.activated, updated),
  on(imageEvents.deactivated, updated),
  on(imageEvents.reactivated, updated),
  on(imageEvents.deleted, ({ image }, now) =>
    image === undefined ? [] : [info('image.delete', imagePayload(image, now))],
  ),
  on(memberEvents.created, ofMember('image.member.create')),
  on(memberEvents.updated, ofMember('image.member.update')),
  on(memberEvents.deleted, ({ member }, now) => [info('image.member.delete', memberPayload(member, now))]),
  on(taskEvents.created, ofTask('task.create')),
  on(taskEvents.started, ofTask('task.processing')),
  on(taskEvents.failed, ofTask('task.failure')),
  on(taskEvents.succeeded, ({ task }, now) => [
    info('task.success', taskPayload(task, now)),
    info('task.run', taskPayload(taskBeforeItsRun(task), now)),
  ]),
  on(metadefEvents.namespaceCreated, ({ namespace }) => [
    info('metadef_namespace.create', namespacePayload(namespace)),
  ]),
  on(metadefEvents.namespaceUpdated, ({ namespace, previous }) => [
    info(
      'metadef_namespace.update',
      namespacePayload(namespace, { nameOld: previous.namespace, updatedAt: previous.updatedAt }),
    ),
  ]),
  on(metadefEvents.namespaceDeleted, ({ namespace }, now) => [
    info('metadef_namespace.delete', namespacePayload(namespace, { deletedAt: now })),
  ]),
  on(metadefEvents.objectsDeleted, inBulk('metadef_namespace.delete_objects')),
  on(metadefEvents.propertiesDeleted, inBulk('metadef_namespace.delete_properties')),
  on(metadefEvents.tagsDeleted, inBulk('metadef_namespace.delete_tags')),
  on(metadefEvents.objectCreated, ({ namespace, object }) => [
    info('metadef_object.create', objectPayload(namespace, object)),
  ]),
  on(metadefEvents.objectUpdated, ({ namespace, object, previous }) => [
    info(
      'metadef_object.update',
      objectPayload(namespace, object, { nameOld: previous.name, updatedAt: previous.updatedAt }),
    ),
  ]),
  on(metadefEvents.objectDeleted, ({ namespace, object }, now) => [
    info('metadef_object.delete', objectPayload(namespace, object, { deletedAt: now })),
  ]),
  on(metadefEvents.propertyCreated, ({ namespace, ...named }) => [
    info('metadef_property.create', propertyPayload(namespace, named)),
  ]),
  on(metadefEvents.propertyUpdated, ({ namespace, previousName, ...named }) => [
    info('metadef_property.update', propertyPayload(namespace, named, { nameOld: previousName })),
  ]),
  on(metadefEvents.propertyDeleted, ({ namespace, ...named }, now) => [
    info('metadef_property.delete', propertyPayload(namespace, named, { deletedAt: now })),
  ]),
  on(metadefEvents.resourceTypeAssociated, ({ namespace, association }) => [
    info('metadef_resource_type.create', resourceTypePayload(namespace, association)),
  ]),
  on(metadefEvents.resourceTypeDissociated, ({ namespace, association }, now) => [
    info('metadef_resource_type.delete', resourceTypePayload(namespace, association, { deletedAt: now })),
  ]),
  on(metadefEvents.tagCreated, ({ namespace, tag }) => [
    info('metadef_tag.create', tagPayload(namespace, tag)),
  ]),
  on(metadefEvents.tagUpdated, ({ namespace, tag, previous }) => [
    info(
      'metadef_tag.update',
      tagPayload(namespace, tag, { nameOld: previous.name, updatedAt: previous.updatedAt }),
    ),
  ]),
  on(metadefEvents.tagDeleted, ({ namespace, tag }, now) => [
    info('metadef_tag.delete', tagPayload(namespace, tag, { deletedAt: now })),
  ]),
];

const byName: ReadonlyMap<string, Translation> = new Map(
  translations.map((translation) => [translation.name, translation]),
);

/** The notifications that go with an event; none where Glance has nothing to say of it. */
export function noticesOf<D extends EventDefinition>(
  definition: D,
  payload: PayloadOf<D>,
  now: string,
): Notice[] {
  return byName.get(definition.name)?.translate(payload, now) ?? [];
}
