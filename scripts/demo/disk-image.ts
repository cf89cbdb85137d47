import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../services/apt.js';

const SECTOR = 512;
const MIB = 1024 * 1024;
const PARTITION_START = MIB / SECTOR;
const LINUX_PARTITION = 0x83;

/** A file that a virtual machine could have as its disk. */
export interface DiskImage {
  readonly path: string;
  readonly diskFormat: 'qcow2' | 'raw';
}

/** A disk with a partition table (MBR) of one Linux partition, data at its start and end, and zeroes between. */
function rawDisk(sizeBytes: number): Buffer {
  const disk = Buffer.alloc(sizeBytes);
  const entry = 446;
  disk.writeUInt8(0x80, entry);
  disk.writeUInt8(LINUX_PARTITION, entry + 4);
  disk.writeUInt32LE(PARTITION_START, entry + 8);
  disk.writeUInt32LE(sizeBytes / SECTOR - PARTITION_START, entry + 12);
  disk.writeUInt16LE(0xaa55, SECTOR - 2);
  randomBytes(MIB).copy(disk, MIB);
  randomBytes(MIB).copy(disk, sizeBytes - MIB);
  return disk;
}

/** Writes a disk of 16 MiB into `folder`: as qcow2 where `qemu-img` is installed, else raw. */
export function makeDiskImage(folder: string): DiskImage {
  const raw = join(folder, 'disk.raw');
  writeFileSync(raw, rawDisk(16 * MIB));
  const qemuImg = findProgram('qemu-img');
  if (qemuImg === undefined) return { path: raw, diskFormat: 'raw' };
  const path = join(folder, 'disk.qcow2');
  execFileSync(qemuImg, ['convert', '-f', 'raw', '-O', 'qcow2', raw, path]);
  rmSync(raw);
  return { path, diskFormat: 'qcow2' };
}
