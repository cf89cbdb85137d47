/** A VDI of 10 GiB; 1 is one that grows, 4 the difference to another. */
export function aVdiImage(kind = 1): Buffer {
  const image = Buffer.alloc(4_096);
  image.write('<<< Oracle VM VirtualBox Disk Image >>>\n', 0, 'latin1');
  image.writeUInt32LE(0xbeda107f, 64);
  image.writeUInt32LE(0x0001_0001, 68);
  image.writeUInt32LE(kind, 76);
  image.writeBigUInt64LE(10_737_418_240n, 368);
  return image;
}

/** The volume descriptor of an ISO of 5000 blocks, in what there is at least of one. */
export function anIsoImage(
  changes: { readonly descriptorType?: number; readonly signature?: string } = {},
): Buffer {
  const image = Buffer.alloc(40_000);
  image[32_768] = changes.descriptorType ?? 1;
  image.write(changes.signature ?? 'CD001', 32_769, 'latin1');
  image.writeUInt32LE(5_000, 32_848);
  image.writeUInt16LE(2_048, 32_896);
  return image;
}

/** An entry of a table of partitions. */
export interface Partition {
  readonly bootFlag?: number;
  /** Head, sector and cylinder where it begins. */
  readonly start?: readonly [number, number, number];
  readonly type: number;
  readonly firstSector: number;
}

/** What stands in front of a GPT. */
export const PROTECTIVE_PARTITION: Partition = { start: [0, 2, 0], type: 0xee, firstSector: 1 };

/** A disk with an MBR of up to four partitions. */
export function aPartitionedDisk(
  partitions: readonly Partition[] = [{ bootFlag: 0x80, type: 0x83, firstSector: 2_048 }],
  sizeBytes = 65_536,
): Buffer {
  const disk = Buffer.alloc(sizeBytes);
  for (const [index, partition] of partitions.entries()) {
    const at = 446 + index * 16;
    disk.writeUInt8(partition.bootFlag ?? 0, at);
    for (const [byte, value] of (partition.start ?? [1, 1, 0]).entries())
      disk.writeUInt8(value, at + 1 + byte);
    disk.writeUInt8(partition.type, at + 4);
    disk.writeUInt32LE(partition.firstSector, at + 8);
    disk.writeUInt32LE(1_000, at + 12);
  }
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** An encrypted volume whose data begins after 4096 sectors. */
export function aLuksVolume(version = 1, sizeBytes = 4_194_304): Buffer {
  const volume = Buffer.alloc(sizeBytes);
  volume.write('LUKS\xba\xbe', 0, 'latin1');
  volume.writeUInt16BE(version, 6);
  volume.write('aes', 8, 'latin1');
  volume.writeUInt32BE(4_096, 104);
  return volume;
}

/** A disk in QEMU's enhanced format. */
export function aQedImage(): Buffer {
  const image = Buffer.alloc(65_536);
  image.write('QED\0', 0, 'latin1');
  return image;
}

/** A disk of Virtuozzo. */
export function aPloopImage(): Buffer {
  const image = Buffer.alloc(65_536);
  image.write('WithouFreSpacExt', 0, 'latin1');
  return image;
}

/** A tape archive that begins with a file of this name. */
export function aTarArchive(firstName: string): Buffer {
  const archive = Buffer.alloc(10_240);
  archive.write(firstName, 0, 'latin1');
  archive.write('0000644\0', 100, 'latin1');
  archive.write('00000000000\0', 124, 'latin1');
  archive.write('ustar\x0000', 257, 'latin1');
  return archive;
}
