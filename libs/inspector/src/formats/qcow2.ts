import { type FormatScan, claimedSize } from '../format-scan.js';

/** Any version, QCOW 1 included. */
export function* qcow2(): FormatScan {
  const header = yield { offset: 0, length: 512 };
  if (header.length < 512 || header.readUInt32BE(0) !== 0x514649fb) return undefined;
  return { virtualSize: claimedSize(header.readBigUInt64BE(24)) };
}
