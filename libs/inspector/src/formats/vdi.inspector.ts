import { type FormatInspector, claimedSize } from '../format-inspector.js';

const HEADER_BYTES = 512;
const SIGNATURE = 0xbeda107f;
const kinds: Readonly<Record<number, string>> = { 1: 'dynamic', 2: 'static', 3: 'undo', 4: 'differencing' };
const NEED_ANOTHER_DISK: ReadonlySet<number> = new Set([3, 4]);

/** Disks of VirtualBox. */
export const vdi: FormatInspector = {
  format: 'vdi',
  matches: (head) => head.length >= HEADER_BYTES && head.readUInt32LE(64) === SIGNATURE,
  *examine() {
    const header = yield { offset: 0, length: HEADER_BYTES };
    const kind = header.readUInt32LE(76);
    return {
      subformat: kinds[kind] ?? `type ${kind}`,
      virtualSize: claimedSize(header.readBigUInt64LE(368)),
      dangers: NEED_ANOTHER_DISK.has(kind)
        ? [{ check: 'parent', reason: 'it is the difference to another disk' }]
        : [],
    };
  },
};
