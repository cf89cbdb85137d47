import { execFileSync } from 'node:child_process';
import type { ServiceProcess } from '@glimpse/testing';

const MIB = 1 << 20;

/** A disk that is full after 8 MiB. */
export interface SmallDisk {
  /** Whether it is a file system of its own; else processes must be kept to it by `limitFiles`. */
  readonly isMounted: boolean;
  unmount(): void;
}

/** Puts a disk of 8 MiB at `folder`, where this user may mount; be it root, in a container it may not. */
export function mountSmallDisk(folder: string): SmallDisk {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return { isMounted: false, unmount: () => undefined };
  }
  return { isMounted: true, unmount: () => void execFileSync('umount', [folder]) };
}

/** The system refuses files above 8 MiB to the process: to the store that is a full disk too, and anybody can have it. */
export const limitFiles = ({ pid }: ServiceProcess) =>
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${8 * MIB}`], { stdio: 'pipe' });
