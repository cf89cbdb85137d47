import { describe, expect, it } from '@jest/globals';
import {
  PROTECTIVE_PARTITION,
  aFixedVhd,
  aLuksVolume,
  aPartitionedDisk,
  aPloopImage,
  aQcow2Image,
  aQedImage,
  aTarArchive,
  aVmdkImage,
  anIsoImage,
} from '@glimpse/testing';
import { admit } from '../inspect-pieces.conformance.js';

const MIB = 1_048_576;
const GIB = 1024 * MIB;
const zeroes = Buffer.alloc(4_096);
const unsafe = aQcow2Image({ backingFileOffset: 1n });
const kernel = aPartitionedDisk([]);
const joined = (first: Buffer, second: Buffer): Buffer => {
  const image = Buffer.from(second);
  first.copy(image, 0, 0, 512);
  return image;
};
const hybridIso = joined(aPartitionedDisk(), anIsoImage());
const polyglot = joined(aQcow2Image(), anIsoImage());
const bootableFixedVhd = aFixedVhd(aPartitionedDisk());
const mismatch = (declared: string, found: string) =>
  `Image disk_format ${declared} does not match stream data ${found}`;

describe('judge (spec/image-formats.md section 4)', () => {
  it.each([
    ['qcow2', aQcow2Image(), 10 * GIB],
    ['raw', zeroes, 4_096],
    ['raw', Buffer.alloc(0), null],
    ['raw', aQcow2Image(), 65_536],
    ['raw', hybridIso, 40_000],
    ['raw', aPartitionedDisk(), 65_536],
    ['raw', bootableFixedVhd, 66_048],
    ['vhd', aFixedVhd(), 65_536],
    ['vhd', bootableFixedVhd, 65_536],
    ['vhd', aFixedVhd(kernel), 65_536],
    ['gpt', bootableFixedVhd, 66_048],
    ['gpt', aPartitionedDisk([PROTECTIVE_PARTITION]), 65_536],
    ['iso', hybridIso, 5_000 * 2_048],
    ['luks', aLuksVolume(), 2_097_152],
    ['vmdk', aVmdkImage(), 10 * GIB],
    ['ami', zeroes, null],
    ['ploop', aPloopImage(), null],
    ['of-our-own', zeroes, null],
  ])('accepts what is declared %s', (declared, image, virtualSize) => {
    expect(admit(declared, image)).toMatchObject({ refusal: null, virtualSize });
  });

  it.each([
    ['qcow2', zeroes, mismatch('qcow2', 'raw')],
    ['qcow2', Buffer.alloc(0), mismatch('qcow2', 'raw')],
    ['vhd', zeroes, mismatch('vhd', 'raw')],
    ['vhd', aPartitionedDisk(), mismatch('vhd', 'gpt')],
    ['vmdk', aQcow2Image(), mismatch('vmdk', 'qcow2')],
    ['gpt', hybridIso, mismatch('gpt', 'iso')],
    ['ami', aQcow2Image(), mismatch('ami', 'qcow2')],
    ['aki', kernel, mismatch('aki', 'gpt')],
    ['qcow2', polyglot, 'Multiple formats detected: qcow2,iso'],
    ['raw', polyglot, 'Multiple formats detected: qcow2,iso'],
    ['qcow2', aFixedVhd(aQcow2Image()), 'Multiple formats detected: qcow2,vhd'],
    ['raw', Buffer.from('conectix'), 'Incomplete file cannot be safety checked'],
    ['qcow2', unsafe, expect.stringContaining('Image failed safety checks: qcow2 backing_file')],
    ['raw', unsafe, expect.stringContaining('Image failed safety checks: qcow2 backing_file')],
    ['raw', aQedImage(), expect.stringContaining('Image failed safety checks: qed banned')],
    ['raw', kernel, expect.stringContaining('Image failed safety checks: gpt mbr')],
    ['luks', aLuksVolume(2), expect.stringContaining('Image failed safety checks: luks version')],
  ])('refuses what is declared %s', (declared, image, refusal) => {
    expect(admit(declared, image).refusal).toEqual(refusal);
  });

  it.each([
    ['raw', aQcow2Image(), 'The data of an image declared raw is qcow2'],
    ['raw', zeroes, null],
    ['qcow2', aQcow2Image(), null],
  ])('warns of what is declared %s where it is something else', (declared, image, warning) => {
    expect(admit(declared, image).warning).toBe(warning);
  });

  it('refuses what is not what was declared as soon as its beginning is seen', () => {
    const image = Buffer.concat([zeroes, Buffer.alloc(4 * MIB)]);

    for (const pieceBytes of [1_000, 65_536, MIB])
      expect(admit('qcow2', image, { pieceBytes }).taken).toBeLessThanOrEqual(Math.max(pieceBytes, 66_000));
    expect(admit('raw', Buffer.concat([unsafe, image]), { pieceBytes: 65_536 }).taken).toBe(65_536);
  });

  it('looks into nothing but bare containers', () => {
    for (const image of [aQedImage(), unsafe, polyglot, zeroes])
      expect(admit('qcow2/ovf', image)).toMatchObject({ refusal: null, virtualSize: null });
  });

  describe('where formats need not match', () => {
    const rules = { requireMatch: false };

    it.each([
      ['qcow2', zeroes],
      ['vmdk', unsafe],
      ['qcow2', aQedImage()],
      ['raw', polyglot],
      ['raw', Buffer.from('conectix')],
    ])('accepts what is declared %s and is not', (declared, image) => {
      expect(admit(declared, image, { rules })).toMatchObject({
        refusal: null,
        virtualSize: declared === 'raw' && image !== polyglot ? image.length : null,
      });
    });

    it('refuses what is as declared, and not safe', () => {
      expect(admit('qcow2', unsafe, { rules }).refusal).toContain('backing_file');
    });
  });

  it('only warns of partition tables where the operator wants it so', () => {
    const rules = { gptSafetyChecksNonfatal: ['mbr'] };

    expect(admit('raw', kernel, { rules })).toMatchObject({ refusal: null, virtualSize: 65_536 });
    expect(admit('gpt', kernel, { rules })).toMatchObject({
      refusal: null,
      warning: expect.stringContaining('mbr'),
    });
  });

  it('accepts the kinds of VMDK that the operator accepts', () => {
    const vmdkAllowedTypes = ['streamOptimized'];

    expect(admit('vmdk', aVmdkImage(), { rules: { vmdkAllowedTypes } }).refusal).toContain(
      'monolithicSparse',
    );
    expect(admit('raw', aVmdkImage(), { rules: { vmdkAllowedTypes } }).refusal).toContain('monolithicSparse');
  });

  it('refuses formats that the operator does not want, wherever they are', () => {
    const rules = { refused: ['luks', 'iso'] };

    for (const declared of ['raw', 'luks'])
      expect(admit(declared, aLuksVolume(), { rules }).refusal).toBe(
        'Images of the format luks are not accepted',
      );
    expect(admit('iso', hybridIso, { rules }).refusal).toBe('Images of the format iso are not accepted');
    expect(admit('raw', zeroes, { rules }).refusal).toBeNull();
  });

  describe('under strict rules', () => {
    const rules = { strict: true };

    it.each([
      ['vmdk/ova', aTarArchive('disk.ovf')],
      ['raw/docker', aTarArchive('layer')],
      ['qcow2/compressed', Buffer.from('1f8b0800', 'hex')],
      ['ploop', aPloopImage()],
      ['aki/aki', kernel],
      ['raw/ovf', zeroes],
    ])('accepts %s that is what it is declared to be', (declared, image) => {
      expect(admit(declared, image, { rules }).refusal).toBeNull();
    });

    it.each([
      ['vmdk/ova', aTarArchive('disk.vmdk'), 'Image container_format ova does not match stream data tar'],
      ['raw/docker', zeroes, 'Image container_format docker does not match stream data raw'],
      ['qcow2/compressed', aQcow2Image(), 'Image container_format compressed does not match stream data raw'],
      ['ploop', zeroes, 'Image disk_format ploop does not match stream data raw'],
      ['qcow2/ovf', unsafe, expect.stringContaining('backing_file')],
      ['ami/ami', aQedImage(), expect.stringContaining('banned')],
      ['raw/ovf', polyglot, 'Multiple formats detected: qcow2,iso'],
    ])('refuses %s that is not', (declared, image, refusal) => {
      expect(admit(declared, image, { rules }).refusal).toEqual(refusal);
    });
  });
});
