import type { ContentName } from '../inspection.js';

interface Signature {
  readonly content: ContentName;
  readonly offset: number;
  readonly bytes: Buffer;
}

const signature = (content: ContentName, offset: number, latin1: string): Signature => ({
  content,
  offset,
  bytes: Buffer.from(latin1, 'latin1'),
});

/** The first that fits counts. Kernels: x86, ARM 64, RISC-V, ARM 32, and ELF. File systems: ext2 to ext4, XFS. */
const signatures: readonly Signature[] = [
  signature('gzip', 0, '\x1f\x8b\x08'),
  signature('xz', 0, '\xfd7zXZ\0'),
  signature('zstd', 0, '\x28\xb5\x2f\xfd'),
  signature('zip', 0, 'PK\x03\x04'),
  signature('lha', 2, '-lh'),
  signature('ploop', 0, 'WithoutFreeSpace'),
  signature('ploop', 0, 'WithouFreSpacExt'),
  signature('aki', 0x202, 'HdrS'),
  signature('aki', 56, 'ARM\x64'),
  signature('aki', 56, 'RSC\x05'),
  signature('aki', 36, '\x18\x28\x6f\x01'),
  signature('aki', 0, '\x7fELF'),
  signature('ari', 0, '070701'),
  signature('ari', 0, '070702'),
  signature('ami', 1_080, '\x53\xef'),
  signature('ami', 0, 'XFSB'),
];

/** What follows the level: a block of data, or the end at once. */
const BZIP2_NEXT: ReadonlySet<string> = new Set(['1AY&SY', '\x17rE8P\x90']);
const TAR_MAGIC_OFFSET = 257;
const TAR_NAME_BYTES = 100;
const OVF_NAME = /\.ovf\0*$/i;

const isBzip2 = (head: Buffer) =>
  /^BZh[1-9]/.test(head.toString('latin1', 0, 4)) && BZIP2_NEXT.has(head.toString('latin1', 4, 10));

/** What content is that is no disk, or packed, by its first bytes; null where they say nothing. */
export function contentOf(head: Buffer): ContentName | null {
  const known = signatures.find(({ offset, bytes }) =>
    head.subarray(offset, offset + bytes.length).equals(bytes),
  );
  if (known !== undefined) return known.content;
  if (isBzip2(head)) return 'bzip2';
  if (head.toString('latin1', TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5) !== 'ustar') return null;
  // The standard demands that the descriptor comes first.
  return OVF_NAME.test(head.toString('latin1', 0, TAR_NAME_BYTES)) ? 'ova' : 'tar';
}
