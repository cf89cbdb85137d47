import { type FormatInspector, claimedSize } from '../format-inspector.js';
import type { Danger } from '../inspection.js';

const HEADER_BYTES = 512;
const MAGIC = 0x514649fb;
const DATA_FILE = 0b100n;
/** Dirty, corrupt, data file, compression type: with the next one begin features that nobody here knows. */
const KNOWN_FEATURE_BITS = 4n;

function dangersIn(header: Buffer): Danger[] {
  const version = header.readUInt32BE(4);
  const features = header.readBigUInt64BE(72);
  const dangers: Danger[] = [];
  if (header.readBigUInt64BE(8) !== 0n)
    dangers.push({ check: 'backing_file', reason: 'it names another file as its backing file' });
  // Version 2 has no features, but programs that are not careful read them all the same.
  if ((features & DATA_FILE) !== 0n)
    dangers.push({ check: 'data_file', reason: 'its data lies in another file' });
  if (version !== 2 && version !== 3)
    dangers.push({ check: 'unknown_features', reason: `it is of version ${version}` });
  else if (version === 3 && features >> KNOWN_FEATURE_BITS !== 0n)
    dangers.push({ check: 'unknown_features', reason: 'it uses features that are not known' });
  return dangers;
}

/** QEMU's copy-on-write disks, of any version: QCOW 1 included, which is refused. */
export const qcow2: FormatInspector = {
  format: 'qcow2',
  matches: (head) => head.length >= HEADER_BYTES && head.readUInt32BE(0) === MAGIC,
  *examine() {
    const header = yield { offset: 0, length: HEADER_BYTES };
    return {
      subformat: `v${header.readUInt32BE(4)}`,
      virtualSize: claimedSize(header.readBigUInt64BE(24)),
      dangers: dangersIn(header),
    };
  },
};
