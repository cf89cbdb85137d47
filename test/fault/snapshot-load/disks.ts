import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const MIB = 1 << 20;

/** A disk of a server as it lies on a shared mount. */
export interface Disk {
  readonly uri: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha512: string;
}

async function makeDisk(path: string, sizeBytes: number, dataBytes: number): Promise<Disk> {
  const hash = createHash('sha512');
  const hole = Buffer.alloc(Math.min(MIB, sizeBytes));
  const file = await open(path, 'w');
  try {
    await file.truncate(sizeBytes);
    for (let at = 0; at < sizeBytes; at += hole.length) {
      const length = Math.min(hole.length, sizeBytes - at);
      const piece = at < dataBytes ? randomBytes(Math.min(length, dataBytes - at)) : Buffer.alloc(0);
      await file.write(piece, 0, piece.length, at);
      hash.update(piece).update(hole.subarray(0, length - piece.length));
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  return { uri: pathToFileURL(path).href, path, sizeBytes, sha512: hash.digest('hex') };
}

/** Makes so many different disks, each `dataBytes` of random data and then a hole. */
export async function makeDisks(
  folder: string,
  {
    count,
    sizeBytes,
    dataBytes,
  }: { readonly count: number; readonly sizeBytes: number; readonly dataBytes: number },
): Promise<Disk[]> {
  await mkdir(folder, { recursive: true });
  const disks: Disk[] = [];
  for (let n = 0; n < count; n++) disks.push(await makeDisk(join(folder, `disk-${n}`), sizeBytes, dataBytes));
  return disks;
}
