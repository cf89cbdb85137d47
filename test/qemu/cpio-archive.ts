/** A file of an archive; a folder where it has no data. */
export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly data?: Buffer;
}

const FOLDER = 0o040_000;
const FILE = 0o100_000;
const END = 'TRAILER!!!';

const padded = (data: Buffer) => Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);

function record(number: number, { name, mode, data }: CpioEntry): Buffer {
  const content = data ?? Buffer.alloc(0);
  const path = Buffer.from(`${name}\0`);
  // inode, mode, owner, group, links, time, size, device (2), device of a node (2), length of the name, checksum
  const fields = [number, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, path.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), path])), padded(content)]);
}

/** An archive as the kernel of Linux unpacks it at its start (the format `newc` of cpio). */
export function aCpioArchive(entries: readonly CpioEntry[]): Buffer {
  const typed = entries.map((entry) => ({
    ...entry,
    mode: entry.mode | (entry.data === undefined ? FOLDER : FILE),
  }));
  return Buffer.concat([...typed, { name: END, mode: 0 }].map((entry, index) => record(index, entry)));
}
