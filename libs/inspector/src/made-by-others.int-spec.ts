import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectFile } from './inspect-file.js';
import { admit } from './inspect-pieces.conformance.js';
import { ImageWorkshop } from './made-images.conformance.js';

const MIB = 1_048_576;

describe('images made by the programs of others', () => {
  let workshop: ImageWorkshop;
  beforeAll(() => {
    workshop = new ImageWorkshop();
    mkdirSync(workshop.path('content'));
    writeFileSync(join(workshop.path('content'), 'read.me'), 'An image');
    workshop.run('qemu-img', ['create', '-q', '-f', 'raw', 'efi.img', '1M']);
  });
  afterAll(() => workshop.close());

  const outcomeOf = (path: string, declared: string) => admit(declared, workshop.read(path));
  const formatsOf = async (path: string) => (await inspectFile(path)).found.map(({ format }) => format);

  it.each([
    ['plain', 'genisoimage', [], ['iso']],
    ['Joliet and Rock Ridge', 'genisoimage', ['-J', '-R'], ['iso']],
    ['UDF beside it', 'genisoimage', ['-udf'], ['iso']],
    ['from xorriso', 'xorriso', ['-as', 'mkisofs'], ['iso']],
    [
      'hybrid with an MBR',
      'xorriso',
      ['-as', 'mkisofs', '-append_partition', '2', '0xef', 'efi.img'],
      ['iso', 'gpt'],
    ],
    [
      'hybrid with a GPT',
      'xorriso',
      [
        '-as',
        'mkisofs',
        '-appended_part_as_gpt',
        '-append_partition',
        '2',
        '0xef',
        'efi.img',
        '-iso_mbr_part_type',
        '0x83',
      ],
      ['iso', 'gpt'],
    ],
  ])('knows an ISO: %s', async (_what, program, options, formats) => {
    const path = workshop.newPath();
    workshop.run(program, [...options, '-quiet', '-V', 'TEST', '-o', path, 'content']);

    expect(await formatsOf(path)).toEqual(formats);
    const { length } = workshop.read(path);
    const outcome = outcomeOf(path, 'iso');
    expect(outcome.refusal).toBeNull();
    expect(outcome.virtualSize).toBeGreaterThan(0);
    expect(outcome.virtualSize).toBeLessThanOrEqual(length);
    expect(outcomeOf(path, 'raw')).toMatchObject({ refusal: null, virtualSize: length });
    expect(outcomeOf(path, 'qcow2').refusal).toBe('Image disk_format qcow2 does not match stream data iso');
  });

  it.each([
    ['GPT', 'sgdisk', ['-n', '1:2048:0', '-t', '1:8300'], ''],
    ['GPT without partitions', 'sgdisk', ['-o'], ''],
    ['GPT of sfdisk', 'sfdisk', [], 'label: gpt\n,,L\n'],
    ['MBR of sfdisk', 'sfdisk', [], 'label: dos\n,1M,L,*\n,,L\n'],
  ])('knows a partitioned disk: %s', async (_what, program, options, input) => {
    const path = workshop.blank(8 * MIB);
    workshop.run(program, program === 'sgdisk' ? [...options, path] : ['-q', path], input);

    expect(await formatsOf(path)).toEqual(['gpt']);
    for (const declared of ['raw', 'gpt'])
      expect(outcomeOf(path, declared)).toMatchObject({ refusal: null, virtualSize: 8 * MIB });
  });

  it('refuses a disk with a hybrid table', async () => {
    const path = workshop.blank(8 * MIB);
    workshop.run('sgdisk', ['-n', '1:2048:0', path]);
    workshop.run('sgdisk', ['-h', '1', path]);

    expect(outcomeOf(path, 'raw').refusal).toContain('Image failed safety checks: gpt mbr');
    expect(
      admit('raw', workshop.read(path), { rules: { gptSafetyChecksNonfatal: ['mbr'] } }).refusal,
    ).toBeNull();
  });

  it.each([
    ['luks1', null],
    ['luks2', expect.stringContaining('luks version')],
  ])('judges a volume of cryptsetup: %s', async (type, refusal) => {
    const path = workshop.blank(32 * MIB);
    workshop.run(
      'cryptsetup',
      [
        '-q',
        'luksFormat',
        '--type',
        type,
        '--pbkdf-force-iterations',
        type === 'luks1' ? '1000' : '4',
        ...(type === 'luks1' ? [] : ['--pbkdf-memory', '32']),
        path,
        '-',
      ],
      'secret',
    );

    expect(await formatsOf(path)).toEqual(['luks']);
    for (const declared of ['luks', 'raw']) expect(outcomeOf(path, declared).refusal).toEqual(refusal);
  });

  it.each([
    ['gzip', ['gzip', '-c']],
    ['xz', ['xz', '-c']],
    ['bzip2', ['bzip2', '-c']],
  ])('knows what is packed with %s', async (content, [program = '', ...options]) => {
    const path = workshop.newPath();
    workshop.run('sh', ['-c', `${program} ${options.join(' ')} efi.img > ${path}`]);

    expect(await inspectFile(path)).toMatchObject({ found: [], content });
  });

  it('knows an OVA by the descriptor that comes first', async () => {
    writeFileSync(workshop.path('disk.ovf'), '<Envelope/>');
    workshop.run('tar', ['-cf', 'machine.ova', 'disk.ovf', 'efi.img']);
    workshop.run('tar', ['-cf', 'other.tar', 'efi.img', 'disk.ovf']);

    expect((await inspectFile(workshop.path('machine.ova'))).content).toBe('ova');
    expect((await inspectFile(workshop.path('other.tar'))).content).toBe('tar');
  });
});
