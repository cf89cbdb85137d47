import { type FormatInspector, claimedSize } from '../format-inspector.js';

const HEAD_END = 34_816;
const DESCRIPTOR_OFFSET = 32_768;
const PRIMARY_VOLUME = 1;
const SIGNATURES: ReadonlySet<string> = new Set(['CD001', 'NSR02', 'NSR03']);

/** Optical media: ISO 9660, also with UDF beside it. */
export const iso: FormatInspector = {
  format: 'iso',
  matches: (head) =>
    head.length >= HEAD_END &&
    SIGNATURES.has(head.toString('latin1', DESCRIPTOR_OFFSET + 1, DESCRIPTOR_OFFSET + 6)),
  *examine() {
    const descriptor = yield { offset: DESCRIPTOR_OFFSET, length: HEAD_END - DESCRIPTOR_OFFSET };
    if (descriptor[0] !== PRIMARY_VOLUME) return { virtualSize: null };
    const blocks = descriptor.readUInt32LE(80);
    const blockBytes = descriptor.readUInt16LE(128);
    return { virtualSize: claimedSize(BigInt(blocks) * BigInt(blockBytes)) };
  },
};
