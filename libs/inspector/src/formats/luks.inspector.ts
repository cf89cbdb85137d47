import { type FormatInspector, INCOMPLETE } from '../format-inspector.js';

const HEADER_BYTES = 592;
const MAGIC = Buffer.from('LUKS\xba\xbe', 'latin1');
const SECTOR_BYTES = 512;

/** Encrypted volumes. Those of version 2 are known so that they can be refused: the header says nothing certain of them. */
export const luks: FormatInspector = {
  format: 'luks',
  matches: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  *examine() {
    const header = yield { offset: 0, length: HEADER_BYTES };
    if (header.length < HEADER_BYTES) return INCOMPLETE;
    const version = header.readUInt16BE(6);
    const subformat = `v${version}`;
    if (version !== 1)
      return {
        subformat,
        virtualSize: null,
        dangers: [{ check: 'version', reason: `it is of version ${version}` }],
      };
    const payloadOffset = header.readUInt32BE(104) * SECTOR_BYTES;
    return {
      subformat,
      virtualSize: (imageBytes) => (imageBytes > payloadOffset ? imageBytes - payloadOffset : null),
    };
  },
};
