import { type FormatScan, claimedSize } from '../format-scan.js';

/** Dynamic and differencing disks. A fixed one has its header at the end only, and looks raw. */
export function* vhd(): FormatScan {
  const header = yield { offset: 0, length: 512 };
  if (header.toString('latin1', 0, 8) !== 'conectix') return undefined;
  return { virtualSize: header.length < 512 ? null : claimedSize(header.readBigUInt64BE(40)) };
}
