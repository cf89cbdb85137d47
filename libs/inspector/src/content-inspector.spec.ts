import { describe, expect, it } from '@jest/globals';
import {
  PROTECTIVE_PARTITION,
  aFixedVhd,
  aLuksVolume,
  aPartitionedDisk,
  aPloopImage,
  aQcow2Image,
  aQedImage,
  aStreamOptimizedVmdk,
  aTarArchive,
  aVdiImage,
  aVhdImage,
  aVhdxImage,
  aVmdkImage,
  anIsoImage,
  vmdkDescriptor,
  vmdkHeader,
} from '@glimpse/testing';
import { inspectInPieces } from './inspect-pieces.conformance.js';

const GIB = 1_073_741_824;

/** What is found in it: each format with its kind, its size and what makes it dangerous. */
const find = (image: Buffer, pieceBytes?: number) =>
  inspectInPieces(image, pieceBytes).found.map(
    ({ format, subformat, virtualSize, dangers, isIncomplete }) =>
      [
        format,
        subformat,
        virtualSize,
        isIncomplete ? 'incomplete' : dangers.map(({ check }) => check).join(),
      ] as const,
  );

/** The checks that an image fails that is of one format. */
const dangersOf = (image: Buffer) =>
  find(image)
    .map(([, , , checks]) => checks)
    .join(' and ');

describe('ContentInspector', () => {
  it.each([
    ['qcow2 of version 3', aQcow2Image(), ['qcow2', 'v3', 10 * GIB, '']],
    ['qcow2 of version 2', aQcow2Image({ version: 2 }), ['qcow2', 'v2', 10 * GIB, '']],
    ['QED', aQedImage(), ['qed', null, 65_536, 'banned']],
    ['dynamic VHD', aVhdImage(), ['vhd', 'dynamic', 10 * GIB, '']],
    ['fixed VHD', aFixedVhd(), ['vhd', 'fixed', 65_536, '']],
    ['VHDX', aVhdxImage(), ['vhdx', null, 10 * GIB, '']],
    ['sparse VMDK', aVmdkImage(), ['vmdk', 'monolithicSparse', 10 * GIB, '']],
    ['stream-optimised VMDK', aStreamOptimizedVmdk(), ['vmdk', 'streamOptimized', 10 * GIB, '']],
    ['VDI', aVdiImage(), ['vdi', 'dynamic', 10 * GIB, '']],
    ['ISO', anIsoImage(), ['iso', null, 5_000 * 2_048, '']],
    ['ISO with another descriptor first', anIsoImage({ descriptorType: 2 }), ['iso', null, null, '']],
    ['UDF', anIsoImage({ signature: 'NSR03' }), ['iso', null, 5_000 * 2_048, '']],
    ['disk with an MBR', aPartitionedDisk(), ['gpt', 'mbr', 65_536, '']],
    ['disk with a GPT', aPartitionedDisk([PROTECTIVE_PARTITION]), ['gpt', 'gpt', 65_536, '']],
    ['LUKS volume', aLuksVolume(), ['luks', 'v1', 2_097_152, '']],
    ['LUKS volume of version 2', aLuksVolume(2), ['luks', 'v2', null, 'version']],
  ] as const)('knows a %s, however small the pieces are', (_what, image, found) => {
    for (const pieceBytes of [7, 4_099, 65_536, 1_048_576]) expect(find(image, pieceBytes)).toEqual([found]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['zeroes', Buffer.alloc(100_000)],
    ['text', Buffer.from('hello '.repeat(1_000))],
    ['a qcow2 cut off in its header', aQcow2Image().subarray(0, 511)],
    ['an ISO cut off in its descriptor', anIsoImage().subarray(0, 34_815)],
    [
      'a FAT file system',
      (() => {
        const disk = aPartitionedDisk([]);
        disk[16] = 2;
        disk[21] = 0xf8;
        return disk;
      })(),
    ],
    [
      'a fixed VHD whose footer is damaged',
      (() => {
        const image = aFixedVhd();
        image[image.length - 1] = 1;
        return image;
      })(),
    ],
    ['a VMDK of ESX 3', Buffer.from('COWD'.padEnd(1_000, '\0'))],
  ])('takes %s for raw', (_what, image) => {
    expect(find(image)).toEqual([]);
  });

  it.each([
    ['a backing file', aQcow2Image({ backingFileOffset: 512n }), 'backing_file'],
    ['a backing file (version 2)', aQcow2Image({ version: 2, backingFileOffset: 1n }), 'backing_file'],
    ['a data file', aQcow2Image({ incompatibleFeatures: 4n }), 'data_file'],
    ['a data file (version 2)', aQcow2Image({ version: 2, incompatibleFeatures: 4n }), 'data_file'],
    ['extended L2 entries', aQcow2Image({ incompatibleFeatures: 16n }), 'unknown_features'],
    ['an unknown feature', aQcow2Image({ incompatibleFeatures: 1n << 63n }), 'unknown_features'],
    ['version 4', aQcow2Image({ version: 4 }), 'unknown_features'],
    ['version 1', aQcow2Image({ version: 1 }), 'unknown_features'],
    [
      'everything wrong',
      aQcow2Image({ backingFileOffset: 1n, incompatibleFeatures: 20n }),
      'backing_file,data_file,unknown_features',
    ],
    [
      'features that harm nobody',
      aQcow2Image({ incompatibleFeatures: 0b1011n, compatibleFeatures: 0xffn }),
      '',
    ],
  ])('judges a qcow2 with %s', (_what, image, checks) => {
    expect(find(image)).toEqual([['qcow2', expect.any(String), 10 * GIB, checks]]);
  });

  it.each([
    [
      'a path in an extent',
      { descriptor: vmdkDescriptor({ extent: 'RW 1 FLAT "/etc/passwd" 0' }) },
      'descriptor',
    ],
    ['no extent', { descriptor: vmdkDescriptor({ extent: '' }) }, 'descriptor'],
    [
      'a line that nobody knows',
      { descriptor: vmdkDescriptor({ more: 'include other.vmdk' }) },
      'descriptor',
    ],
    ['two kinds', { descriptor: vmdkDescriptor({ more: '# createType="monolithicFlat"' }) }, 'descriptor'],
    [
      'a kind of several files',
      { descriptor: vmdkDescriptor({ createType: 'twoGbMaxExtentSparse' }) },
      'descriptor',
    ],
    ['no descriptor', { descriptorSectors: 0n }, 'descriptor'],
    ['a descriptor elsewhere', { descriptorSector: 2n }, 'descriptor'],
    ['an unknown version', { version: 4 }, 'descriptor'],
    [
      'a descriptor that is no text',
      { descriptor: vmdkDescriptor({ more: 'ddb.x = "\xe9"' }) },
      'descriptor',
    ],
    [
      'text behind a zero byte',
      { descriptor: vmdkDescriptor({ more: '\0RW 1 FLAT "/etc/passwd" 0' }) },
      'descriptor',
    ],
    ['a parent', { descriptor: vmdkDescriptor().replace('ffffffff', '12345678') }, 'parent'],
    [
      "a hint to its parent's name",
      { descriptor: vmdkDescriptor({ more: 'parentFileNameHint="/etc/passwd"' }) },
      'parent',
    ],
    ['odd but harmless capitals', { descriptor: vmdkDescriptor().replace('createType', 'CREATETYPE') }, ''],
    ['a kind in other capitals', { descriptor: vmdkDescriptor({ createType: 'MonolithicSPARSE' }) }, ''],
  ])('judges a VMDK with %s', (_what, changes, checks) => {
    expect(dangersOf(aVmdkImage(changes))).toBe(checks);
  });

  it.each([
    ['is missing', { footer: Buffer.alloc(512) }],
    ['is of another version', { footer: vmdkHeader({ version: 1 }) }],
    ['has another capacity', { footer: vmdkHeader({ version: 3, capacitySectors: 1n }) }],
    ['has another descriptor', { footer: vmdkHeader({ version: 3, descriptorSector: 2n }) }],
    ['points to a footer', { footer: vmdkHeader({ version: 3, grainDirectory: 0xffff_ffff_ffff_ffffn }) }],
    ['has another marker in front', { markerType: 2 }],
    ['is not followed by the end', { endMarkerType: 1 }],
  ])('judges a VMDK whose footer %s', (_what, changes) => {
    expect(dangersOf(aStreamOptimizedVmdk(changes))).toBe('footer');
  });

  it.each([
    ['a createType', vmdkDescriptor({ createType: 'twoGbMaxExtentFlat' }), 'twoGbMaxExtentFlat'],
    ['a createType of what is one file', vmdkDescriptor(), 'monolithicSparse'],
    ['what QEMU goes by', '# caf\xe9\n \r\nversion=1\r\nRW 1 FLAT "/etc/passwd" 0\n', null],
  ])('judges a VMDK that is only a descriptor with %s', (_what, text, createType) => {
    expect(find(Buffer.from(text, 'latin1'))).toEqual([['vmdk', createType, null, 'descriptor']]);
  });

  it.each([
    ['an invalid boot flag', [{ bootFlag: 1, type: 0x83, firstSector: 1 }], 'mbr'],
    ['no partition', [], 'mbr'],
    ['a protective partition elsewhere', [{ ...PROTECTIVE_PARTITION, firstSector: 2 }], 'mbr'],
    [
      'a protective partition that begins wrongly',
      [{ ...PROTECTIVE_PARTITION, start: [0, 1, 0] as const }],
      'mbr',
    ],
    ['a hybrid table', [PROTECTIVE_PARTITION, { type: 0x83, firstSector: 9 }], 'mbr'],
    [
      'a protective partition that is not the first',
      [{ type: 0, firstSector: 0 }, PROTECTIVE_PARTITION],
      'mbr',
    ],
    ['a protective partition to boot from', [{ ...PROTECTIVE_PARTITION, bootFlag: 0x80 }], ''],
    ['four partitions', [1, 2, 3, 4].map((firstSector) => ({ type: 0x83, firstSector })), ''],
  ])('judges a disk with %s', (_what, partitions, checks) => {
    expect(dangersOf(aPartitionedDisk(partitions))).toBe(checks);
  });

  it.each([
    ['VHD', aVhdImage('differencing')],
    ['VHDX', aVhdxImage({ hasParent: true })],
    ['VDI', aVdiImage(4)],
  ])('judges a %s that is the difference to another disk', (_what, image) => {
    expect(dangersOf(image)).toBe('parent');
  });

  it.each([
    ['VHD', Buffer.from('conectix')],
    ['VHDX', aVhdxImage().subarray(0, 262_143)],
    ['VHDX before its metadata', aVhdxImage({ metadataOffset: 1n << 40n })],
    ['VMDK', Buffer.from('KDMV')],
    ['VMDK in its descriptor', aVmdkImage().subarray(0, 5_000)],
    ['LUKS volume', aLuksVolume().subarray(0, 591)],
  ])('knows a %s that ends too early', (_what, image) => {
    expect(find(image)).toEqual([[expect.any(String), null, null, 'incomplete']]);
  });

  it('finds no size in a VHDX whose table of regions is broken', () => {
    const image = aVhdxImage();
    image.write('nope', 196_608, 'latin1');

    expect(find(image)).toEqual([['vhdx', null, null, '']]);
  });

  it('takes sizes beyond what can be counted for unknown', () => {
    expect(find(aQcow2Image({ virtualSize: 1n << 60n }))).toEqual([['qcow2', 'v3', null, '']]);
  });

  it('names every format of a file that is several', () => {
    const image = anIsoImage();
    aQcow2Image().copy(image, 0, 0, 512);

    expect(find(image).map(([format]) => format)).toEqual(['qcow2', 'iso']);
  });

  it.each([
    ['gzip', Buffer.from('1f8b0800', 'hex')],
    ['xz', Buffer.from('fd377a585a00', 'hex')],
    ['zstd', Buffer.from('28b52ffd', 'hex')],
    ['bzip2', Buffer.from('BZh91AY&SY')],
    ['zip', Buffer.from('PK\x03\x04')],
    ['lha', Buffer.from('  -lh5-')],
    ['ova', aTarArchive('disk.ovf')],
    ['tar', aTarArchive('disk.vmdk')],
    ['ploop', aPloopImage()],
    ['aki', Buffer.from('\x7fELF')],
    ['ari', Buffer.from('070701')],
    [
      'ami',
      (() => {
        const image = Buffer.alloc(4_096);
        image.writeUInt16LE(0xef53, 1_080);
        return image;
      })(),
    ],
    [null, Buffer.from('BZh9 is no archive')],
  ])('tells content that is %s, and no disk format', (content, image) => {
    expect(inspectInPieces(image)).toEqual({ size: image.length, found: [], content });
  });
});
