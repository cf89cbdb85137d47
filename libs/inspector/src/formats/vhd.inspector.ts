import { type FormatInspector, INCOMPLETE, claimedSize } from '../format-inspector.js';
import type { Danger } from '../inspection.js';

const FOOTER_BYTES = 512;
const COOKIE = 'conectix';
const CHECKSUM_OFFSET = 64;
const FIXED = 2;
const DYNAMIC = 3;
const DIFFERENCING = 4;

const kinds: Readonly<Record<number, string>> = {
  [FIXED]: 'fixed',
  [DYNAMIC]: 'dynamic',
  [DIFFERENCING]: 'differencing',
};

const hasParent: Danger = { check: 'parent', reason: 'it is the difference to another disk' };

const startsWithCookie = (bytes: Buffer) => bytes.toString('latin1', 0, COOKIE.length) === COOKIE;

/** Disks of Virtual PC and Hyper-V that have a copy of their footer in front: dynamic and differencing ones. */
export const vhd: FormatInspector = {
  format: 'vhd',
  matches: startsWithCookie,
  *examine() {
    const header = yield { offset: 0, length: FOOTER_BYTES };
    if (header.length < FOOTER_BYTES) return INCOMPLETE;
    const kind = header.readUInt32BE(60);
    return {
      subformat: kinds[kind] ?? `type ${kind}`,
      virtualSize: claimedSize(header.readBigUInt64BE(40)),
      dangers: kind === DIFFERENCING ? [hasParent] : [],
    };
  },
};

/** The ones' complement of the sum of all bytes, those of the checksum left out. */
function isChecksumRight(footer: Buffer): boolean {
  let sum = 0;
  for (const [index, byte] of footer.entries())
    if (index < CHECKSUM_OFFSET || index >= CHECKSUM_OFFSET + 4) sum += byte;
  return footer.readUInt32BE(CHECKSUM_OFFSET) === ~sum >>> 0;
}

/** A raw disk with a footer behind it. Glance takes it for a raw disk, footer and all. */
export const fixedVhd: FormatInspector = {
  format: 'vhd',
  matches: (head) => (startsWithCookie(head) ? false : 'maybe'),
  *examine() {
    const footer = yield { tail: FOOTER_BYTES };
    const isFooter =
      footer.length === FOOTER_BYTES &&
      startsWithCookie(footer) &&
      footer.readUInt32BE(60) === FIXED &&
      isChecksumRight(footer);
    if (!isFooter) return undefined;
    const claimed = claimedSize(footer.readBigUInt64BE(48));
    return {
      subformat: 'fixed',
      virtualSize: (imageBytes) =>
        claimed !== null && claimed <= imageBytes - FOOTER_BYTES ? claimed : null,
    };
  },
};
