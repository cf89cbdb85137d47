import type { EventDefinition } from '../event.js';
import { auditEvents } from './audit-events.js';
import { imageEvents } from './image-events.js';
import { jobEvents } from './job-events.js';
import { memberEvents } from './member-events.js';
import { metadefEvents } from './metadef-events.js';
import { snapshotEventExamples } from '../snapshots/event-examples.js';
import { snapshotEvents } from './snapshot-events.js';
import { storeEvents } from './store-events.js';
import { taskEvents } from './task-events.js';
import { transferEvents } from './transfer-events.js';
import { verificationEvents } from './verification-events.js';
import { webhookEvents } from './webhook-events.js';

type Examples = Readonly<Record<string, unknown>>;

/** An event that others may listen to. */
export interface PublicEvent {
  readonly event: EventDefinition;
  /** One sentence on when it is published. */
  readonly description: string;
  /** What the CloudEvents attribute `subject` holds. */
  readonly subject: string;
  /** It is not kept for anybody: only those who listen at the moment get it, and it may be lost. */
  readonly isLive: boolean;
  /** Payloads, by what they show. */
  readonly examples: Examples;
}

/** The events of one area; the compiler asks for a description of each. */
function area<Events extends Readonly<Record<string, EventDefinition>>>(
  subject: string,
  events: Events,
  descriptions: Readonly<Record<keyof Events, string>>,
  {
    live = [],
    examples = {},
  }: {
    readonly live?: readonly (keyof Events)[];
    readonly examples?: Partial<Readonly<Record<keyof Events, Examples>>>;
  } = {},
): PublicEvent[] {
  return Object.entries(events).map(([key, definition]) => ({
    event: definition,
    description: descriptions[key as keyof Events],
    subject,
    isLive: live.includes(key),
    examples: examples[key as keyof Events] ?? {},
  }));
}

const IMAGE = 'The id of the image.';
const NAMESPACE = 'The name of the namespace, as it was before the change.';

/** Every event that is published on the exchange of events, with its schema: what documents are generated from. */
export const publicEvents: readonly PublicEvent[] = [
  ...area(IMAGE, imageEvents, {
    created: 'An image was created; it has no data yet.',
    updated: 'Attributes, properties, tags or the status of an image changed.',
    activated: 'The data of an image is there and whole.',
    uploadFailed: 'Data that was to become an image’s did not; the image is queued again.',
    deactivated: 'Nobody but administrators may read the data of an image any more.',
    reactivated: 'The data of an image that was deactivated may be read again.',
    locationAdded: 'The data of an image can be had from one more place.',
    locationRemoved: 'The data of an image can not be had from a place any more.',
    deleted: 'An image was deleted.',
  }),
  ...area(IMAGE, memberEvents, {
    created: 'An image was shared with a project.',
    updated: 'A project accepted or rejected an image that is shared with it, or put that off.',
    deleted: 'An image is not shared with a project any more.',
  }),
  ...area('The id of the image that the task works on, else that of the task.', taskEvents, {
    created: 'Work in the background was asked for.',
    started: 'The work of a task was begun.',
    succeeded: 'The work of a task is done.',
    failed: 'The work of a task came to nothing.',
  }),
  ...area(
    IMAGE,
    snapshotEvents,
    {
      accepted: 'A snapshot that compute asked for has its image, and its data is to be fetched.',
      progress: 'How far a snapshot has come, about once a second.',
      completed: 'A snapshot is an active image.',
      failed: 'Nothing came of a snapshot; its image is gone.',
      cancelled: 'A snapshot was ended before it was done; its image is gone.',
    },
    { live: ['progress'], examples: snapshotEventExamples },
  ),
  ...area('The id of the job.', jobEvents, {
    ready: 'A job is due, and workers may claim it.',
    completed: 'A job is done.',
    failed: 'Every attempt at a job is used up.',
  }),
  ...area(
    'The id of the upload or of the job.',
    transferEvents,
    { progressed: 'How far an upload or a job has come, about once a second.' },
    { live: ['progressed'] },
  ),
  ...area(IMAGE, verificationEvents, {
    verified: 'A copy of an image’s data was looked at.',
    repaired: 'A good copy of an image’s data took the place of a damaged one.',
  }),
  ...area('The id of the store.', storeEvents, {
    reconciled: 'A store was compared with the database.',
  }),
  ...area(
    'The id of the webhook.',
    webhookEvents,
    {
      due: 'There are messages to webhooks to be sent.',
      disabled: 'Nothing is sent to a webhook any more, until its owner enables it again.',
      deliveryFailed: 'Every attempt to send a message to a webhook is used up.',
    },
    { live: ['due'] },
  ),
  ...area('The id of what it was done to.', auditEvents, {
    recorded: 'Somebody changed something, or was refused: a record of the audit, as CADF (DSP0262) has it.',
  }),
  ...area(NAMESPACE, metadefEvents, {
    namespaceCreated:
      'A namespace of metadata definitions was created; an event for each part of it follows.',
    namespaceUpdated: 'A namespace of metadata definitions was changed.',
    namespaceDeleted: 'A namespace of metadata definitions was deleted, with all that was in it.',
    objectsDeleted: 'All objects of a namespace were deleted.',
    propertiesDeleted: 'All properties of a namespace were deleted.',
    tagsDeleted: 'All tags of a namespace were deleted.',
    objectCreated: 'An object was defined.',
    objectUpdated: 'The definition of an object was changed.',
    objectDeleted: 'The definition of an object was deleted.',
    propertyCreated: 'A property was defined.',
    propertyUpdated: 'The definition of a property was changed.',
    propertyDeleted: 'The definition of a property was deleted.',
    resourceTypeAssociated: 'A namespace was declared to be meant for a type of resources.',
    resourceTypeDissociated: 'A namespace is not meant for a type of resources any more.',
    tagCreated: 'A tag was defined.',
    tagUpdated: 'A tag was renamed.',
    tagDeleted: 'A tag was deleted.',
  }),
];
