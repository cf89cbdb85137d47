import { type FormatScan, claimedSize } from '../format-scan.js';

export function* vdi(): FormatScan {
  const header = yield { offset: 0, length: 512 };
  if (header.length < 512 || header.readUInt32LE(64) !== 0xbeda107f) return undefined;
  return { virtualSize: claimedSize(header.readBigUInt64LE(368)) };
}
