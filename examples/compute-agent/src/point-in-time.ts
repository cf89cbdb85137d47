import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from './agent-error.js';
import { type Commands, CommandError } from './commands.js';
import { type Bitmap, type Disk, bitmapsOf } from './disk.js';
import { create, jobsOf } from './jobs.js';
import { type NbdAccess, type NbdAddress, toSocketAddress } from './nbd-address.js';
import { fleeceNode, frozenBitmapName, scratchJob, scratchNode } from './tag.js';

export interface BitmapUse {
  /** Records, from this point in time on, what the guest writes. */
  readonly name: string;
  /** Whether what it has recorded before is to be exported. */
  readonly isExported: boolean;
}

/** A disk as it stood at one moment, while the guest goes on writing. */
export interface PointInTime {
  readonly tag: string;
  readonly disk: Disk;
  readonly bitmap: BitmapUse | undefined;
}

/**
 * Makes what the point in time will need: an empty qcow2 file before the disk, into which QEMU copies what the guest
 * is about to overwrite. The file has no name any more when this resolves, so it goes with the process at the latest.
 */
export async function prepareScratch(
  monitor: Commands,
  { tag, disk }: PointInTime,
  folder: string,
): Promise<void> {
  const filename = join(folder, `${tag}.qcow2`);
  const file = scratchNode(tag);
  try {
    await create(monitor, scratchJob(tag), { driver: 'file', filename, size: 0 });
    await monitor.execute('blockdev-add', {
      arguments: { driver: 'file', 'node-name': file, filename, discard: 'unmap' },
    });
    await create(monitor, scratchJob(tag), { driver: 'qcow2', file, size: disk.sizeBytes });
    await monitor.execute('blockdev-add', {
      arguments: { driver: 'qcow2', 'node-name': fleeceNode(tag), file, backing: disk.node },
    });
  } finally {
    await rm(filename, { force: true });
  }
}

/** What the bitmaps must do at the same moment as the disk stands still. */
function bitmapActions({ tag, disk, bitmap }: PointInTime, known: readonly Bitmap[]): object[] {
  if (bitmap === undefined) return [];
  const { node } = disk;
  const { name } = bitmap;
  const before = known.find((one) => one.name === name);
  if (before?.inconsistent === true)
    throw new AgentError(
      'machine',
      `The bitmap ${name} is lost, as QEMU was not ended properly: remove it, and take a snapshot without --parent`,
    );
  if (before === undefined) {
    if (bitmap.isExported)
      throw new AgentError(
        'machine',
        `The disk has no bitmap ${name}: nobody knows what changed since the parent`,
      );
    return [{ type: 'block-dirty-bitmap-add', data: { node, name, persistent: disk.keepsBitmaps } }];
  }
  const frozen = frozenBitmapName(name, tag);
  return [
    { type: 'block-dirty-bitmap-add', data: { node, name: frozen, disabled: true } },
    { type: 'block-dirty-bitmap-merge', data: { node, target: frozen, bitmaps: [name] } },
    { type: 'block-dirty-bitmap-clear', data: { node, name } },
  ];
}

/** The bitmap actions of a point in time to come; throws where they are not possible. */
export async function planBitmaps(monitor: Commands, point: PointInTime): Promise<object[]> {
  return bitmapActions(point, await bitmapsOf(monitor, point.disk));
}

/** The moment: from here on the fleece shows the disk as it is now. All of it happens at once, or nothing. */
export async function fixPointInTime(
  monitor: Commands,
  { tag, disk }: PointInTime,
  bitmaps: readonly object[],
  timeoutMs: number,
): Promise<void> {
  const backup = {
    type: 'blockdev-backup',
    data: { 'job-id': tag, device: disk.node, target: fleeceNode(tag), sync: 'none' },
  };
  await monitor.execute('transaction', { arguments: { actions: [...bitmaps, backup] }, timeoutMs });
}

/** Whether that moment is still kept: without its job the export would show the disk of now. */
export async function isKept(monitor: Commands, tag: string): Promise<boolean> {
  const job = (await jobsOf(monitor)).find(({ id }) => id === tag);
  return job !== undefined && ['running', 'ready', 'paused'].includes(job.status);
}

/** Serves it by NBD, read only, under its tag. */
export async function exportByNbd(
  monitor: Commands,
  { tag, bitmap }: PointInTime,
  address: NbdAddress,
  access: NbdAccess,
): Promise<void> {
  const server = { addr: toSocketAddress(address), 'tls-creds': access.tlsCredentials };
  try {
    await monitor.execute('nbd-server-start', { arguments: server });
  } catch (error) {
    if (error instanceof CommandError && error.description.includes('already running'))
      throw new AgentError(
        'machine',
        'QEMU serves a disk by NBD already: a snapshot, a backup or a migration',
      );
    throw error;
  }
  const bitmaps = bitmap?.isExported === true ? [frozenBitmapName(bitmap.name, tag)] : undefined;
  try {
    await monitor.execute('block-export-add', {
      arguments: { type: 'nbd', id: tag, name: tag, 'node-name': fleeceNode(tag), writable: false, bitmaps },
    });
  } catch (error) {
    // Nobody would find it: it has no tag.
    await monitor.execute('nbd-server-stop').catch(() => undefined);
    throw error;
  }
}
