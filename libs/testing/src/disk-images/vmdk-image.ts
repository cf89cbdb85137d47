const SECTOR_BYTES = 512;
const DESCRIPTOR_SECTORS = 20;
const AT_END = 0xffff_ffff_ffff_ffffn;

/** What VMware writes to describe a VMDK that is one file. */
export const vmdkDescriptor = (
  changes: { readonly createType?: string; readonly extent?: string; readonly more?: string } = {},
): string =>
  [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    'parentCID=ffffffff',
    `createType="${changes.createType ?? 'monolithicSparse'}"`,
    '',
    '# Extent description',
    changes.extent ?? 'RW 20971520 SPARSE "disk.vmdk"',
    '',
    '# The Disk Data Base',
    '#DDB',
    'ddb.virtualHWVersion = "4"',
    'ddb.adapterType = "ide"',
    changes.more ?? '',
    '',
  ].join('\n');

interface VmdkHeader {
  readonly version?: number;
  readonly capacitySectors?: bigint;
  readonly descriptorSector?: bigint;
  readonly descriptorSectors?: bigint;
  readonly grainDirectory?: bigint;
}

export function vmdkHeader(changes: VmdkHeader = {}): Buffer {
  const header = Buffer.alloc(SECTOR_BYTES);
  header.write('KDMV', 0, 'latin1');
  header.writeUInt32LE(changes.version ?? 1, 4);
  header.writeUInt32LE(3, 8);
  header.writeBigUInt64LE(changes.capacitySectors ?? 20_971_520n, 12);
  header.writeBigUInt64LE(128n, 20);
  header.writeBigUInt64LE(changes.descriptorSector ?? 1n, 28);
  header.writeBigUInt64LE(changes.descriptorSectors ?? BigInt(DESCRIPTOR_SECTORS), 36);
  header.writeUInt32LE(512, 44);
  header.writeBigUInt64LE(21n, 48);
  header.writeBigUInt64LE(changes.grainDirectory ?? 26n, 56);
  return header;
}

/** A sparse VMDK with its descriptor, which is `descriptor` where one is given. */
export function aVmdkImage(changes: VmdkHeader & { readonly descriptor?: string | Buffer } = {}): Buffer {
  const text = Buffer.alloc(DESCRIPTOR_SECTORS * SECTOR_BYTES);
  const descriptor = changes.descriptor ?? vmdkDescriptor();
  (typeof descriptor === 'string' ? Buffer.from(descriptor, 'latin1') : descriptor).copy(text);
  return Buffer.concat([vmdkHeader(changes), text, Buffer.alloc(65_536)]);
}

/** A stream-optimised VMDK as VMware exports it: what its header leaves open is in a footer. */
export function aStreamOptimizedVmdk(
  changes: {
    readonly footer?: Buffer;
    readonly markerType?: number;
    readonly endMarkerType?: number;
  } = {},
): Buffer {
  const marker = (type: number) => {
    const sector = Buffer.alloc(SECTOR_BYTES);
    if (type !== 0) sector.writeBigUInt64LE(1n, 0);
    sector.writeUInt32LE(type, 12);
    return sector;
  };
  return Buffer.concat([
    aVmdkImage({
      version: 3,
      grainDirectory: AT_END,
      descriptor: vmdkDescriptor({ createType: 'streamOptimized' }),
    }),
    marker(changes.markerType ?? 3),
    changes.footer ?? vmdkHeader({ version: 3 }),
    marker(changes.endMarkerType ?? 0),
  ]);
}
