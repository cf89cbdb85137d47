import {
  type EventDefinition,
  type Image,
  type ImageMember,
  type PayloadOf,
  type TaskSummary,
  type WebhookEventType,
  imageEvents,
  memberEvents,
  snapshotEvents,
  taskEvents,
  webhookEvents,
} from '@glimpse/contracts';

/** Whom an event is about, and what they are told. */
export interface Heard {
  /** The projects that hear of it, as far as the event names them. */
  readonly projects: readonly string[];
  /** The owner of this image hears of it too. */
  readonly ownerOf?: string;
  /**
   * Who brought it about, where others hear of it than that project: this one, or the owner of the image. Whoever is told
   * what others do is told a bounded number of it.
   */
  readonly cause?: 'owner' | { readonly project: string };
  readonly data: object;
}

/** Shows an image as its project may see it. */
export type ShowImage = (image: Image) => object;

type Hear = (payload: unknown, show: ShowImage) => Heard | undefined;

/** An event that can't be read (of another release) is not heard. */
const on =
  <D extends EventDefinition>(definition: D, hear: (payload: PayloadOf<D>, show: ShowImage) => Heard): Hear =>
  (payload, show) => {
    const parsed = definition.payload.safeParse(payload);
    return parsed.success ? hear(parsed.data as PayloadOf<D>, show) : undefined;
  };

const known = (project: string | null): string[] => (project === null || project === '' ? [] : [project]);

const ofImage = ({ image }: { image: Image }, show: ShowImage): Heard => ({
  projects: known(image.owner),
  data: { image: show(image) },
});

const ofMember = ({ member }: { member: ImageMember }, cause: NonNullable<Heard['cause']>): Heard => ({
  projects: [member.memberId],
  ownerOf: member.imageId,
  cause,
  data: {
    member: {
      image_id: member.imageId,
      member_id: member.memberId,
      status: member.status,
      created_at: member.createdAt,
      updated_at: member.updatedAt,
    },
  },
});

const ofTask = ({ task }: { task: TaskSummary }): Heard => ({
  projects: known(task.owner),
  data: {
    task: {
      id: task.id,
      type: task.type,
      status: task.status,
      owner: task.owner,
      image_id: task.imageId,
      request_id: task.requestId,
      user_id: task.userId,
      created_at: task.createdAt,
      updated_at: task.updatedAt,
    },
  },
});

const ofSnapshot = (payload: { project_id: string }): Heard => ({
  projects: known(payload.project_id),
  data: { snapshot: payload },
});

const hearers: Readonly<Record<WebhookEventType, Hear>> = {
  'image.created': on(imageEvents.created, ofImage),
  'image.updated': on(imageEvents.updated, ofImage),
  'image.activated': on(imageEvents.activated, ofImage),
  'image.upload_failed': on(imageEvents.uploadFailed, ({ imageId, reason }) => ({
    projects: [],
    ownerOf: imageId,
    data: { image: { id: imageId }, reason },
  })),
  'image.deactivated': on(imageEvents.deactivated, ofImage),
  'image.reactivated': on(imageEvents.reactivated, ofImage),
  'image.deleted': on(imageEvents.deleted, ({ imageId, image }, show) =>
    image === undefined
      ? { projects: [], ownerOf: imageId, data: { image: { id: imageId } } }
      : ofImage({ image }, show),
  ),
  'image.member.created': on(memberEvents.created, (payload) => ofMember(payload, 'owner')),
  'image.member.updated': on(memberEvents.updated, (payload) =>
    ofMember(payload, { project: payload.member.memberId }),
  ),
  'image.member.deleted': on(memberEvents.deleted, (payload) => ofMember(payload, 'owner')),
  'snapshot.accepted': on(snapshotEvents.accepted, ofSnapshot),
  'snapshot.completed': on(snapshotEvents.completed, ofSnapshot),
  'snapshot.failed': on(snapshotEvents.failed, ofSnapshot),
  'snapshot.cancelled': on(snapshotEvents.cancelled, ofSnapshot),
  'task.succeeded': on(taskEvents.succeeded, ofTask),
  'task.failed': on(taskEvents.failed, ofTask),
  'webhook.disabled': on(webhookEvents.disabled, ({ webhookId, projectId, reason }) => ({
    projects: [projectId],
    data: { webhook: { id: webhookId }, reason },
  })),
};

/** Whether events of that name are told to projects. */
export const isHeard = (name: string): name is WebhookEventType => Object.hasOwn(hearers, name);

/** Whom the event is told to and what; undefined where it can't be read. */
export const hear = (name: WebhookEventType, payload: unknown, show: ShowImage): Heard | undefined =>
  hearers[name](payload, show);
