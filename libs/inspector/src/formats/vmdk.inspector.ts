import { type Examination, type FormatInspector, INCOMPLETE, claimedSize } from '../format-inspector.js';
import { SELF_CONTAINED_TYPES, parseVmdkDescriptor } from './vmdk-descriptor.js';

const MAGIC = 'KDMV';
const HEADER_BYTES = 64;
const SECTOR_BYTES = 512;
const MAX_DESCRIPTOR_BYTES = 1_048_575;
const VERSIONS: ReadonlySet<number> = new Set([1, 2, 3]);
/** The offset of the grain directory where the footer has the true one. */
const AT_END = 0xffff_ffff_ffff_ffffn;
const FOOTER_MARKER = 3;
const MARKER_BYTES = 16;

const sectors = (count: bigint) => count * BigInt(SECTOR_BYTES);

/** What header and footer say alike: version, capacity, and where the descriptor is. */
const sharedFields = (header: Buffer) =>
  [header.subarray(4, 8), header.subarray(12, 20), header.subarray(28, 44)].map((part) =>
    part.toString('hex'),
  );

const isGrainDirectoryAtEnd = (header: Buffer) => header.readBigUInt64LE(56) === AT_END;

const isMarker = (bytes: Buffer, { value, type }: { value?: bigint; type: number }) =>
  (value === undefined || bytes.readBigUInt64LE(0) === value) &&
  bytes.readUInt32LE(8) === 0 &&
  bytes.readUInt32LE(12) === type;

/** The last three sectors: a marker, the footer, the marker of the end. Programs believe the footer, not the header. */
function isFooterConsistent(header: Buffer, tail: Buffer): boolean {
  if (tail.length < 3 * SECTOR_BYTES) return false;
  const [marker, footer, end] = [0, 1, 2].map((index) =>
    tail.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES),
  ) as [Buffer, Buffer, Buffer];
  return (
    isMarker(marker.subarray(0, MARKER_BYTES), { type: FOOTER_MARKER }) &&
    isMarker(end.subarray(0, MARKER_BYTES), { value: 0n, type: 0 }) &&
    footer.toString('latin1', 0, MAGIC.length) === MAGIC &&
    !isGrainDirectoryAtEnd(footer) &&
    sharedFields(footer).join() === sharedFields(header).join()
  );
}

const withoutDescriptor: Examination = {
  virtualSize: null,
  dangers: [{ check: 'descriptor', reason: 'it has no descriptor where it must be' }],
};

/** Sparse VMDKs, with their descriptor inside. */
export const vmdk: FormatInspector = {
  format: 'vmdk',
  matches: (head) => head.toString('latin1', 0, MAGIC.length) === MAGIC,
  *examine() {
    const header = yield { offset: 0, length: HEADER_BYTES };
    if (header.length < HEADER_BYTES) return INCOMPLETE;
    const descriptorBytes = sectors(header.readBigUInt64LE(36));
    const isWhereItBelongs = sectors(header.readBigUInt64LE(28)) === BigInt(SECTOR_BYTES);
    if (!VERSIONS.has(header.readUInt32LE(4)) || !isWhereItBelongs || descriptorBytes === 0n)
      return withoutDescriptor;
    const length = descriptorBytes > MAX_DESCRIPTOR_BYTES ? MAX_DESCRIPTOR_BYTES : Number(descriptorBytes);
    const descriptor = yield { offset: SECTOR_BYTES, length };
    if (descriptor.length < length) return INCOMPLETE;

    const { createType, dangers } = parseVmdkDescriptor(descriptor);
    const isSized = createType !== null && SELF_CONTAINED_TYPES.includes(createType);
    const found: Examination = {
      ...(createType === null ? {} : { subformat: createType }),
      virtualSize: isSized ? claimedSize(sectors(header.readBigUInt64LE(12))) : null,
      dangers,
    };
    if (dangers.length > 0 || !isGrainDirectoryAtEnd(header)) return found;
    const tail = yield { tail: 3 * SECTOR_BYTES };
    if (isFooterConsistent(header, tail)) return found;
    return { ...found, dangers: [{ check: 'footer', reason: 'its footer is not what its header says' }] };
  },
};

const FIRST_SECTOR = /^[\t\n\v\f\r\x20-\x7e]{64,}$/;
const CREATE_TYPE = /createtype="([^"]{0,63})"/i;
/** How QEMU knows a descriptor: the version after nothing but comments and blank lines. */
const QEMU_KNOWS = /^(?:#[^\n]*\n| *\r?\n)*version=[123]\r?\n/;
const QEMU_LOOKS_AT = 2_048;

/** Descriptors that are files of their own, and name others: known so that they can be refused. */
export const vmdkText: FormatInspector = {
  format: 'vmdk',
  matches: (head) =>
    (FIRST_SECTOR.test(head.toString('latin1', 0, SECTOR_BYTES)) &&
      CREATE_TYPE.test(head.toString('latin1'))) ||
    QEMU_KNOWS.test(head.toString('latin1', 0, QEMU_LOOKS_AT)),
  *examine() {
    const text = yield { offset: 0, length: 65_536 };
    const createType = CREATE_TYPE.exec(text.toString('latin1'))?.[1];
    return {
      ...(createType === undefined ? {} : { subformat: createType }),
      virtualSize: null,
      dangers: [{ check: 'descriptor', reason: 'it is only a descriptor, of data in other files' }],
    };
  },
};
