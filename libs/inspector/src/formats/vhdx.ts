import { type FormatScan, claimedSize } from '../format-scan.js';

const REGION_TABLE_OFFSET = 196_608;
const TABLE_BYTES = 65_536;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2_047;

/** GUIDs as they lie on the disk: the first three groups little-endian. */
const METADATA_REGION = Buffer.from('06a27c8b90479a4bb8fe575f050f886e', 'hex');
const VIRTUAL_DISK_SIZE = Buffer.from('2442a52f1bcd7648b2115dbed83bf4b8', 'hex');

function findEntry(table: Buffer, firstEntry: number, count: number, guid: Buffer): Buffer | undefined {
  for (let index = 0; index < Math.min(count, MAX_ENTRIES); index++) {
    const entry = table.subarray(firstEntry + index * ENTRY_BYTES).subarray(0, ENTRY_BYTES);
    if (entry.length === ENTRY_BYTES && entry.subarray(0, 16).equals(guid)) return entry;
  }
  return undefined;
}

/** The size lies in the metadata region, which the region table points to. */
export function* vhdx(): FormatScan {
  const unknownSize = { virtualSize: null };
  const magic = yield { offset: 0, length: 8 };
  if (magic.toString('latin1') !== 'vhdxfile') return undefined;

  const regions = yield { offset: REGION_TABLE_OFFSET, length: TABLE_BYTES };
  if (regions.length < TABLE_BYTES || regions.toString('latin1', 0, 4) !== 'regi') return unknownSize;
  const region = findEntry(regions, 16, regions.readUInt32LE(8), METADATA_REGION);
  const regionOffset = claimedSize(region?.readBigUInt64LE(16) ?? 0n);
  if (regionOffset === null) return unknownSize;

  const metadata = yield { offset: regionOffset, length: TABLE_BYTES };
  if (metadata.length < TABLE_BYTES || metadata.toString('latin1', 0, 8) !== 'metadata') return unknownSize;
  const item = findEntry(metadata, 32, metadata.readUInt16LE(10), VIRTUAL_DISK_SIZE);
  if (item === undefined) return unknownSize;

  const size = yield { offset: regionOffset + item.readUInt32LE(16), length: 8 };
  return size.length < 8 ? unknownSize : { virtualSize: claimedSize(size.readBigUInt64LE(0)) };
}
