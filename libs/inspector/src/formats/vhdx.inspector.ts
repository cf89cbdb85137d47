import { type Examination, type FormatInspector, INCOMPLETE, claimedSize } from '../format-inspector.js';

const REGION_TABLE_OFFSET = 196_608;
const TABLE_BYTES = 65_536;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2_047;
const ITEM_BYTES = 8;
const HAS_PARENT = 0b10;

/** GUIDs as they lie on the disk: the first three groups little-endian. */
const METADATA_REGION = Buffer.from('06a27c8b90479a4bb8fe575f050f886e', 'hex');
const VIRTUAL_DISK_SIZE = Buffer.from('2442a52f1bcd7648b2115dbed83bf4b8', 'hex');
const FILE_PARAMETERS = Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex');

const UNKNOWN: Examination = { virtualSize: null };

function findEntry(table: Buffer, firstEntry: number, count: number, guid: Buffer): Buffer | undefined {
  if (count > MAX_ENTRIES) return undefined;
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(firstEntry + index * ENTRY_BYTES).subarray(0, ENTRY_BYTES);
    if (entry.length === ENTRY_BYTES && entry.subarray(0, 16).equals(guid)) return entry;
  }
  return undefined;
}

/** Where the metadata lies; null where the table of regions doesn't tell. */
function metadataOffset(regions: Buffer): number | null {
  if (regions.toString('latin1', 0, 4) !== 'regi') return null;
  const region = findEntry(regions, 16, regions.readUInt32LE(8), METADATA_REGION);
  return claimedSize(region?.readBigUInt64LE(16) ?? 0n);
}

/** The offsets of the metadata's items in it, by what they are, nearest first. */
function itemOffsets(metadata: Buffer): (readonly [guid: Buffer, offset: number])[] {
  if (metadata.toString('latin1', 0, 8) !== 'metadata') return [];
  const count = metadata.readUInt16LE(10);
  return [VIRTUAL_DISK_SIZE, FILE_PARAMETERS]
    .flatMap((guid) => {
      const entry = findEntry(metadata, 32, count, guid);
      return entry === undefined ? [] : [[guid, entry.readUInt32LE(16)] as const];
    })
    .toSorted(([, one], [, other]) => one - other);
}

/** Disks of Hyper-V 2. Their size lies in the metadata, to which a table of regions points. */
export const vhdx: FormatInspector = {
  format: 'vhdx',
  matches: (head) => head.toString('latin1', 0, 8) === 'vhdxfile',
  *examine() {
    const regions = yield { offset: REGION_TABLE_OFFSET, length: TABLE_BYTES };
    if (regions.length < TABLE_BYTES) return INCOMPLETE;
    const offset = metadataOffset(regions);
    if (offset === null) return UNKNOWN;
    const metadata = yield { offset, length: TABLE_BYTES };
    if (metadata.length < TABLE_BYTES) return INCOMPLETE;

    let virtualSize: number | null = null;
    let isDifference = false;
    for (const [guid, at] of itemOffsets(metadata)) {
      const item: Buffer =
        at + ITEM_BYTES <= TABLE_BYTES
          ? metadata.subarray(at, at + ITEM_BYTES)
          : yield { offset: offset + at, length: ITEM_BYTES };
      if (item.length < ITEM_BYTES) return INCOMPLETE;
      if (guid === VIRTUAL_DISK_SIZE) virtualSize = claimedSize(item.readBigUInt64LE(0));
      else isDifference = (item.readUInt32LE(4) & HAS_PARENT) !== 0;
    }
    return {
      virtualSize,
      dangers: isDifference ? [{ check: 'parent', reason: 'it is the difference to another disk' }] : [],
    };
  },
};
