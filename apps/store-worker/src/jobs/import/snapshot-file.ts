import type { BigIntStats } from 'node:fs';
import { type FileHandle, constants, open, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Config } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { CHUNK_BYTES } from './disk-chunks.js';
import { failed } from './failed.js';
import type { OpenedSource } from './opened-source.js';
import { holdPlace } from './snapshot-path.js';

/** What the kernel counts the size of a block device in, whatever its own blocks are. */
const SECTOR_BYTES = 512;

const changed = () => failed('The file changed while it was read: a disk in use is read over NBD');

/** Disks that lie in directories which the operator opens for that. */
export class SnapshotFiles {
  constructor(private readonly options: Pick<Config['snapshots'], 'fileRoots' | 'blockDevices'>) {}

  /**
   * Opens the file. What is in it is data: nothing that it may name, such as a backing file, is looked at. REQUEST_INVALID where it may not be read,
   * TRANSFER_ABORTED where it can't be, and by the stream where it does not stay as it was when it was opened.
   */
  async open(uri: string): Promise<OpenedSource> {
    const place = await holdPlace(this.options.fileRoots, pathOf(uri));
    try {
      const { stats } = place;
      if (!stats.isFile() && !stats.isBlockDevice())
        throw new ServiceError('REQUEST_INVALID', 'The source of the snapshot is neither a file nor a disk');
      if (stats.isBlockDevice() && !this.options.blockDevices)
        throw new ServiceError('REQUEST_INVALID', 'Block devices are not read: snapshots.block_devices');
      const file = await reopened(place.path);
      try {
        return await this.stream(file);
      } catch (error) {
        await file.close();
        throw error;
      }
    } finally {
      await place.close();
    }
  }

  private async stream(file: FileHandle): Promise<OpenedSource> {
    const before = await file.stat({ bigint: true });
    const size = before.isBlockDevice() ? await sizeOfDevice(before) : Number(before.size);
    const data = Readable.from(chunksOf(file, size, before), { highWaterMark: 1 });
    return { data, size, close: () => file.close() };
  }
}

/** The numbers by which Linux knows a device, from how `stat` packs them. */
export const deviceNumbers = (rdev: bigint): string => {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xffff_f000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
};

async function sizeOfDevice({ rdev }: BigIntStats): Promise<number> {
  try {
    const sectors = await readFile(`/sys/dev/block/${deviceNumbers(rdev)}/size`, 'utf8');
    return Number(sectors) * SECTOR_BYTES;
  } catch (error) {
    throw failed('The size of the block device cannot be told', error);
  }
}

/** The path in a URL of the form `file:///path`; whose host may only be this one. */
function pathOf(uri: string): string {
  const written = /^file:(?:\/\/(?:localhost)?)?(\/(?!\/)[^?#]*)$/i.exec(uri)?.[1];
  const path = written === undefined ? undefined : decoded(written);
  if (path === undefined)
    throw new ServiceError('REQUEST_INVALID', 'The source of the snapshot is not of the form file:///path');
  return path;
}

function decoded(text: string): string | undefined {
  try {
    // A slash that is hidden in a name is none.
    return /%2f/i.test(text) ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

async function reopened(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOCTTY);
  } catch (error) {
    throw failed('The source of the snapshot cannot be opened: the store-worker may not', error);
  }
}

async function* chunksOf(file: FileHandle, size: number, before: BigIntStats): AsyncGenerator<Buffer> {
  for (let position = 0; position < size;) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - position));
    const bytesRead = await readAt(file, chunk, position);
    if (bytesRead === 0) throw changed();
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
  const after = await file.stat({ bigint: true });
  // The times of a device's file tell nothing of what is on the device.
  const stayed = before.isBlockDevice() || (after.size === before.size && after.mtimeNs === before.mtimeNs);
  if (!stayed) throw changed();
}

async function readAt(file: FileHandle, chunk: Buffer, position: number): Promise<number> {
  try {
    return (await file.read(chunk, 0, chunk.length, position)).bytesRead;
  } catch (error) {
    throw failed('The source of the snapshot cannot be read', error);
  }
}
