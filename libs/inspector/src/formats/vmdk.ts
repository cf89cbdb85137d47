import { type FormatScan, claimedSize } from '../format-scan.js';

const SECTOR_BYTES = 512;
const MAX_DESCRIPTOR_BYTES = 1_048_575;
const SIZED_TYPES = /^\s*createType\s*=\s*"(?:monolithicSparse|streamOptimized)"/im;

/** Sparse extents; their descriptor says whether the header's capacity is that of the whole disk. */
export function* vmdk(): FormatScan {
  const header = yield { offset: 0, length: 64 };
  if (header.toString('latin1', 0, 4) !== 'KDMV') return undefined;
  const version = header.readUInt32LE(4);
  const descriptorOffset = header.readBigUInt64LE(28) * BigInt(SECTOR_BYTES);
  const descriptorBytes = header.readBigUInt64LE(36) * BigInt(SECTOR_BYTES);
  if (version < 1 || version > 3 || descriptorOffset !== BigInt(SECTOR_BYTES)) return { virtualSize: null };
  const length = descriptorBytes > MAX_DESCRIPTOR_BYTES ? MAX_DESCRIPTOR_BYTES : Number(descriptorBytes);
  const descriptor = yield { offset: SECTOR_BYTES, length };
  if (!SIZED_TYPES.test(descriptor.toString('latin1'))) return { virtualSize: null };
  return { virtualSize: claimedSize(header.readBigUInt64LE(12) * BigInt(SECTOR_BYTES)) };
}
