import type { FormatInspector } from '../format-inspector.js';

const HEADER_BYTES = 512;

/** QEMU's forgotten format: known so that it can be refused. */
export const qed: FormatInspector = {
  format: 'qed',
  matches: (head) => head.length >= HEADER_BYTES && head.toString('latin1', 0, 4) === 'QED\0',
  *examine() {
    yield { offset: 0, length: 0 };
    return {
      virtualSize: (imageBytes) => imageBytes,
      dangers: [{ check: 'banned', reason: 'the format is not allowed' }],
    };
  },
};
