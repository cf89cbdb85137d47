import { readFileSync } from 'node:fs';
import { z } from 'zod';

const MountPoint = z.looseObject({ id: z.string(), mountpoint: z.string() });
const MountPoints = z.union([z.array(MountPoint), MountPoint.transform((one) => [one])]);
export type MountPoint = z.output<typeof MountPoint>;

/** Reads a metadata file: what tells compute hosts on which shared file system they find the data themselves. */
export function readMountPoints(path: string): MountPoint[] {
  return MountPoints.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** The first entry that holds `path`. */
export function findMountPoint(mountPoints: readonly MountPoint[], path: string): MountPoint | undefined {
  return mountPoints.find(({ mountpoint }) => path.startsWith(mountpoint));
}
