import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isServiceError } from '@glimpse/contracts';
import { type ArchiveMember, anArchiveOf, anOvfDescriptor } from '@glimpse/testing';
import { unpackOva } from './ova-disk.js';

const DISK = randomBytes(300_001);
const NAME = 'vm-disk1.vmdk';
const ovf = (files = [NAME], options = {}) => ({ name: 'vm.ovf', data: anOvfDescriptor(files, options) });
const disk = (more: Partial<ArchiveMember> = {}) => ({ name: NAME, data: DISK, ...more });
const manifest = (value: string, algorithm = 'SHA256') => ({
  name: 'vm.mf',
  data: `${algorithm}(vm.ovf)= 00\n${algorithm}(${NAME})= ${value}\n`,
});
const digest = (algorithm: string) => createHash(algorithm).update(DISK).digest('hex');

async function* inChunks(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function unpack(archive: Buffer, chunk = 65_536) {
  const { chunks, ...about } = await unpackOva(inChunks(archive, chunk));
  const pieces: Buffer[] = [];
  for await (const piece of chunks) pieces.push(Buffer.from(piece));
  return { ...about, data: Buffer.concat(pieces) };
}
const problem = (archive: Buffer) =>
  unpack(archive).then(
    () => 'none',
    (error: unknown) =>
      isServiceError(error, 'CONVERSION_FAILED') ? error.message : `unforeseen: ${String(error)}`,
  );

describe('unpackOva', () => {
  it.each([1, 511, 4_099, 1_000_000])('finds the disk, in chunks of %d bytes', async (chunk) => {
    const archive = anArchiveOf([ovf(), { name: 'notes.txt', data: 'x'.repeat(600) }, disk()]);

    const { data, diskFormat, isGzipped } = await unpack(chunk === 1 ? archive.subarray() : archive, chunk);

    expect(data.equals(DISK)).toBe(true);
    expect({ diskFormat, isGzipped }).toEqual({ diskFormat: 'vmdk', isGzipped: false });
  });

  it('knows long names, of pax and of GNU', async () => {
    const long = `${'d'.repeat(150)}.vmdk`;
    const record = ` path=${long}\n`;
    const pax = `${record.length + 3}${record}`;
    for (const header of [
      { name: 'x', type: 'x', data: pax },
      { name: '././@LongLink', type: 'L', data: `${long}\0` },
    ]) {
      const archive = anArchiveOf([ovf([long]), header, disk({ name: 'd'.repeat(99) })]);

      expect((await unpack(archive)).data.equals(DISK)).toBe(true);
    }
  });

  it('knows the disk by its name as URLs and archivers write it', async () => {
    const name = 'my disk.vmdk';
    const member = disk({ name: `./${name}` });
    for (const members of [
      [ovf(['my%20disk.vmdk']), member],
      [
        { ...ovf([name]), name: './vm.ovf' },
        { name: './vm.mf', data: `SHA256(${name})= ${digest('sha256')}\n` },
        member,
      ],
    ])
      expect((await unpack(anArchiveOf(members))).data.equals(DISK)).toBe(true);
  });

  it('reads the archive to its very end, where its source is found to be what it should be', async () => {
    let isAtEnd = false;
    async function* source() {
      yield* inChunks(Buffer.concat([anArchiveOf([ovf(), disk()]), Buffer.alloc(1_000_000)]), 4_096);
      isAtEnd = true;
    }

    for await (const _piece of (await unpackOva(source())).chunks);

    expect(isAtEnd).toBe(true);
  });

  it.each(['sha1', 'sha256', 'sha512'])('checks a manifest of %s, wherever it is', async (algorithm) => {
    const good = manifest(digest(algorithm), algorithm.toUpperCase());
    const bad = manifest('00'.repeat(20), algorithm.toUpperCase());

    for (const members of [
      [ovf(), good, disk()],
      [ovf(), disk(), good],
    ])
      expect(await problem(anArchiveOf(members))).toBe('none');
    for (const members of [
      [ovf(), bad, disk()],
      [ovf(), disk(), bad],
    ])
      expect(await problem(anArchiveOf(members))).toContain('manifest');
  });

  it.each([
    ['http://www.vmware.com/interfaces/specifications/vmdk.html', 'vmdk'],
    ['http://www.gnome.org/~markmc/qcow-image-format.html', 'qcow2'],
    ['http://go.microsoft.com/fwlink/?LinkId=137171#vhd', 'vhd'],
    ['', 'vmdk'],
  ])('takes the format from %j', async (format, expected) => {
    expect((await unpack(anArchiveOf([ovf([NAME], { format }), disk()]))).diskFormat).toBe(expected);
  });

  it('tells that the disk is compressed', async () => {
    const compressed = ovf([NAME], { attributes: 'ovf:compression="gzip"' });

    expect((await unpack(anArchiveOf([compressed, disk()]))).isGzipped).toBe(true);
  });

  it.each<[string, () => Buffer, string]>([
    ['nothing', () => Buffer.alloc(0), 'ends early'],
    ['no archive', () => randomBytes(10_000), 'makes no sense|no tar archive'],
    ['an archive without a descriptor', () => anArchiveOf([disk()]), 'does not begin with its descriptor'],
    ['a descriptor that is a link', () => anArchiveOf([{ ...ovf(), type: '2' }]), 'does not begin with'],
    ['a descriptor that is no XML', () => anArchiveOf([{ name: 'a.ovf', data: '<a' }]), 'makes no sense'],
    [
      'a descriptor of another kind',
      () => anArchiveOf([{ name: 'a.ovf', data: '<Envelope><References/></Envelope>' }]),
      'makes no sense',
    ],
    ['no disk', () => anArchiveOf([ovf([])]), 'makes no sense'],
    ['several disks', () => anArchiveOf([ovf([NAME, 'b.vmdk']), disk()]), '2 disks'],
    ['a disk in pieces', () => anArchiveOf([ovf([NAME], { attributes: 'ovf:chunkSize="1"' })]), 'in pieces'],
    ['a disk that is missing', () => anArchiveOf([ovf()]), 'not in the OVA'],
    ['a disk that lies elsewhere', () => anArchiveOf([ovf(['../../etc/passwd'])]), 'not in the OVA'],
    [
      'a disk that is a link',
      () => anArchiveOf([ovf(), { name: NAME, type: '2', linkTo: '/etc/passwd' }]),
      'is a link',
    ],
    ['a disk that is there twice', () => anArchiveOf([ovf(), disk(), disk()]), 'twice'],
    ['a disk that ends early', () => anArchiveOf([ovf(), disk()]).subarray(0, 200_000), 'ends early'],
    ['no end', () => anArchiveOf([ovf(), disk()]).subarray(0, -1024), 'ends early'],
    ['a descriptor of gigabytes', () => anArchiveOf([{ ...ovf(), claimedSize: 8 ** 11 - 1 }]), 'too large'],
    [
      'a header of gigabytes',
      () => anArchiveOf([ovf(), { name: 'x', type: 'x', claimedSize: 8 ** 11 - 1 }]),
      'too long',
    ],
    [
      'attributes that make no sense',
      () => anArchiveOf([ovf(), { name: 'x', type: 'x', data: '9999 a=b\n' }, disk()]),
      'makes no sense',
    ],
    [
      'a disk with holes that are left out',
      () => anArchiveOf([ovf(), { name: 'x', type: 'x', data: '22 GNU.sparse.major=1\n' }, disk()]),
      'sparse',
    ],
    [
      'a descriptor that takes long to read',
      () => anArchiveOf([{ name: 'a.ovf', data: `<a>${'<b/>'.repeat(2 ** 18)}</a>` }]),
      'too large',
    ],
    [
      'thousands of files',
      () => anArchiveOf([ovf(), ...Array.from({ length: 2_000 }, (_, at) => ({ name: `f${at}` })), disk()]),
      'too many files',
    ],
    [
      'entities that grow without bound',
      () =>
        anArchiveOf([
          {
            name: 'a.ovf',
            data: `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${anOvfDescriptor(['&b;'])}`,
          },
        ]),
      'not in the OVA|makes no sense',
    ],
  ])('refuses %s', async (_what, make, reason) => {
    expect(await problem(make())).toMatch(new RegExp(reason));
  });
});
