const BLOCK = 512;

/** A member of an archive: a file, unless `type` says otherwise (`2` is a symbolic link). */
export interface ArchiveMember {
  readonly name: string;
  readonly data?: Buffer | string;
  readonly type?: string;
  readonly linkTo?: string;
  /** What the header claims, where that is not true. */
  readonly claimedSize?: number;
}

/** A tape archive with these members. */
export function anArchiveOf(members: readonly ArchiveMember[]): Buffer {
  return Buffer.concat([...members.map(blocksOf), Buffer.alloc(2 * BLOCK)]);
}

function blocksOf({ name, data = '', type = '0', linkTo = '', claimedSize }: ArchiveMember): Buffer {
  const content = Buffer.from(data);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\0', 100, 'latin1');
  header.write(`${(claimedSize ?? content.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write(linkTo, 157, 100, 'utf8');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** The descriptor of an appliance whose disks are these files. */
export function anOvfDescriptor(
  files: readonly string[],
  {
    format = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized',
    attributes = '',
  } = {},
): string {
  const references = files.map((href, at) => `<File ovf:href="${href}" ovf:id="file${at}" ${attributes}/>`);
  const disks = files.map(
    (_, at) => `<Disk ovf:diskId="disk${at}" ovf:fileRef="file${at}" ovf:format="${format}"/>`,
  );
  return `<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References>${references.join('')}</References>
  <DiskSection><Info>The disks</Info>${disks.join('')}</DiskSection>
</Envelope>`;
}
