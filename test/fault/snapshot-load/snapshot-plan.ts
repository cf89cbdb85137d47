import { randomUUID } from 'node:crypto';
import type { Disk } from './disks.js';

/** A snapshot that a compute host asks for. */
export interface PlannedSnapshot {
  readonly requestId: string;
  readonly projectId: string;
  readonly instanceId: string;
  readonly disk: Disk;
  readonly reply: 'accepted' | 'completed';
}

/** One in so many asks for its reply at the end. */
const REPLIES_AT_THE_END = 5;

/**
 * Snapshots of projects, each with as many as `sizes` says, in that order: who comes last finds everybody else in the
 * queue. The disks are taken in turn.
 */
export const planSnapshots = (sizes: readonly number[], disks: readonly Disk[]): PlannedSnapshot[] =>
  sizes
    .flatMap((size, project) => Array.from({ length: size }, () => `load-${project}-${size}`))
    .map((projectId, n) => ({
      requestId: randomUUID(),
      projectId,
      instanceId: randomUUID(),
      disk: disks[n % disks.length]!,
      reply: n % REPLIES_AT_THE_END === REPLIES_AT_THE_END - 1 ? 'completed' : 'accepted',
    }));

/** The message of the request: the same each time. */
export const messageOf = ({ requestId, projectId, instanceId, disk, reply }: PlannedSnapshot) => ({
  request_id: requestId,
  project_id: projectId,
  instance_id: instanceId,
  name: `snapshot of ${instanceId}`,
  source: { uri: disk.uri },
  reply,
});
