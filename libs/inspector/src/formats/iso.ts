import { type FormatScan, claimedSize } from '../format-scan.js';

const HEAD_BYTES = 34_816;
const DESCRIPTOR_OFFSET = 32_768;
const PRIMARY_VOLUME = 1;

/** ISO 9660, also with UDF beside it. */
export function* iso(): FormatScan {
  const descriptor = yield { offset: DESCRIPTOR_OFFSET, length: HEAD_BYTES - DESCRIPTOR_OFFSET };
  const isWhole = descriptor.length === HEAD_BYTES - DESCRIPTOR_OFFSET;
  if (!isWhole || !['CD001', 'NSR02', 'NSR03'].includes(descriptor.toString('latin1', 1, 6)))
    return undefined;
  if (descriptor[0] !== PRIMARY_VOLUME) return { virtualSize: null };
  const blocks = descriptor.readUInt32LE(80);
  const blockBytes = descriptor.readUInt16LE(128);
  return { virtualSize: claimedSize(BigInt(blocks) * BigInt(blockBytes)) };
}
