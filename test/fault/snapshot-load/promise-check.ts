import type { Database } from '@glimpse/persistence';
import type { ComputeReply, ImageApi, ImageDocument } from '@glimpse/testing';
import { connect } from 'amqplib';
import { findInMotion } from '../chaos/at-rest.js';
import { findDatabaseFaults } from '../chaos/database-check.js';
import { findLostFiles, findOrphans } from '../chaos/store-check.js';
import type { SnapshotEvents } from './snapshot-events.js';
import type { PlannedSnapshot } from './snapshot-plan.js';

const PAGE = 500;
const QUEUES = ['glimpse.snapshots.requests', 'glimpse.dead-letters'];

/** What a run has left. */
export interface Outcome {
  readonly api: ImageApi;
  readonly database: Database;
  readonly busUrl: string;
  readonly storeDirs: readonly string[];
  /** All that were asked for. */
  readonly planned: readonly PlannedSnapshot[];
  readonly events: SnapshotEvents;
  readonly replies: readonly ComputeReply['body'][];
  /** How often the message of a request was sent, where that is more than once. */
  readonly copies: ReadonlyMap<string, number>;
}

async function listAll(api: ImageApi): Promise<ImageDocument[]> {
  const images: ImageDocument[] = [];
  for (let marker = ''; ;) {
    const page = await api.list(`limit=${PAGE}&sort=id:asc${marker === '' ? '' : `&marker=${marker}`}`);
    images.push(...page);
    if (page.length < PAGE) return images;
    marker = page.at(-1)?.id ?? '';
  }
}

function groupedBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Each request has one image, with the data of its disk. */
function findWrongImages({ planned }: Outcome, images: readonly ImageDocument[]): string[] {
  const ofInstance = groupedBy(images, (image) => String(image['instance_uuid']));
  const faults: string[] = [];
  for (const { requestId, instanceId, projectId, disk } of planned) {
    const [image, ...more] = ofInstance.get(instanceId) ?? [];
    ofInstance.delete(instanceId);
    if (image === undefined) faults.push(`lost: request ${requestId} has no image`);
    if (more.length > 0) faults.push(`double: request ${requestId} has ${more.length + 1} images`);
    if (image === undefined) continue;
    const { status, size, os_hash_value: hash, owner } = image;
    if (status !== 'active') faults.push(`lost: image ${image.id} of ${requestId} is ${status}`);
    else if (hash !== disk.sha512 || size !== disk.sizeBytes)
      faults.push(`wrong: image ${image.id} of ${requestId} is not what its disk is`);
    if (owner !== projectId)
      faults.push(`wrong: image ${image.id} of ${projectId} is owned by ${String(owner)}`);
  }
  const rest = [...ofInstance.values()].flat();
  return [...faults, ...rest.map(({ id }) => `image ${id} is nobody's`)];
}

/** An image that was made twice may be gone again; its row tells. */
async function findMoreImages({ database, planned }: Outcome): Promise<string[]> {
  const [images] = await database.query<{ count: number | string }>('SELECT COUNT(*) AS count FROM images');
  const count = Number(images?.count);
  return count === planned.length ? [] : [`${count} images were ever made, for ${planned.length} requests`];
}

/** Each request is accepted once and completed once, and in that order. */
function findWrongEvents({ planned, events }: Outcome): string[] {
  const ofRequest = groupedBy(events.all, ({ requestId }) => requestId);
  return planned.flatMap(({ requestId }) => {
    const seen = (ofRequest.get(requestId) ?? []).map(({ name }) => name).join(', ');
    return seen === 'accepted, completed' ? [] : [`events of request ${requestId}: ${seen || 'none'}`];
  });
}

/** Each message has one reply, and all those of a request name the same image. */
function findWrongReplies({ planned, replies, copies }: Outcome): string[] {
  const ofRequest = groupedBy(replies, (reply) => String(reply['request_id']));
  return planned.flatMap(({ requestId, reply }) => {
    const due = copies.get(requestId) ?? 1;
    const got = ofRequest.get(requestId) ?? [];
    const images = new Set(got.map((one) => one['image_id']));
    const isGood = (status: unknown) => status === 'completed' || (status === 'accepted' && reply === status);
    const bad = got.find((one) => !isGood(one['status']));
    return [
      ...(got.length === due ? [] : [`${got.length} replies to ${due} messages of request ${requestId}`]),
      ...(images.size > 1 ? [`double: replies to request ${requestId} name ${images.size} images`] : []),
      ...(bad === undefined ? [] : [`request ${requestId} was answered with ${JSON.stringify(bad)}`]),
    ];
  });
}

async function findLeftMessages({ busUrl }: Outcome): Promise<string[]> {
  const connection = await connect(busUrl);
  try {
    const channel = await connection.createChannel();
    const found: string[] = [];
    for (const queue of QUEUES) {
      const { messageCount } = await channel.checkQueue(queue);
      if (messageCount > 0) found.push(`${messageCount} messages are left in ${queue}`);
    }
    return found;
  } finally {
    await connection.close();
  }
}

/** Everything that was promised of snapshots and is not so: lost, double, or other than it should be. Asked at rest. */
export async function findBrokenPromises(outcome: Outcome): Promise<string[]> {
  const { api, database, storeDirs } = outcome;
  const orphans = await findOrphans(database, storeDirs);
  return [
    ...findWrongImages(outcome, await listAll(api)),
    ...(await findMoreImages(outcome)),
    ...findWrongEvents(outcome),
    ...findWrongReplies(outcome),
    ...(await findLeftMessages(outcome)),
    ...(await findInMotion(database)),
    ...(await findDatabaseFaults(database)),
    ...(await findLostFiles(database, storeDirs)).map((file) => `lost: ${file}`),
    ...orphans.files.map((file) => `orphan: ${file}`),
  ];
}
