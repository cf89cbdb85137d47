import { ServiceError } from '@glimpse/contracts';
import type { PeekedChunks } from './peeked-chunks.js';

const BLOCK = 512;
/** Longer names and attributes are not read: a header may claim any length. */
const MAX_HEADER_DATA = 65_536;

const damaged = (message: string) =>
  new ServiceError('CONVERSION_FAILED', `The archive cannot be read: ${message}`);

/** A file in an archive. What of it nobody reads is passed over. */
export interface TarEntry {
  /** As it is written there: nothing to make a path of. */
  readonly name: string;
  readonly size: number;
  /** False for links, devices, folders and whatever else. */
  readonly isFile: boolean;
  readonly content: AsyncIterable<Buffer>;
}

interface Header {
  readonly type: string;
  readonly name: string;
  readonly size: number;
}

/**
 * The entries of a tar archive (ustar, pax and GNU's long names), read once from its beginning to its end with bounded
 * memory; the libraries for it gather a header of whatever length it claims. Throws CONVERSION_FAILED where it is damaged.
 */
export async function* tarEntries(chunks: PeekedChunks): AsyncGenerator<TarEntry> {
  let overrides: { name?: string; size?: number } = {};
  while (true) {
    const block = await chunks.take(BLOCK);
    if (block === undefined) throw damaged('it ends early');
    if (block.every((byte) => byte === 0)) {
      // What follows is padding. Where the data comes from, its end is when its size and hash are checked.
      for await (const _padding of chunks);
      return;
    }
    const header = parseHeader(block);
    if (header.type === 'x' || header.type === 'L' || header.type === 'g' || header.type === 'K') {
      const data = await headerData(chunks, header.size);
      if (header.type === 'x') Object.assign(overrides, paxRecords(data));
      if (header.type === 'L') overrides.name = textOf(data);
      continue;
    }
    const { name, size } = { ...header, ...overrides };
    overrides = {};
    const content = new EntryContent(chunks, size);
    yield { name, size, isFile: header.type === '0' || header.type === '\0' || header.type === '7', content };
    await content.passOver();
  }
}

class EntryContent implements AsyncIterable<Buffer> {
  private left: number;

  constructor(
    private readonly chunks: PeekedChunks,
    private readonly size: number,
  ) {
    this.left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const piece of this.chunks.next(this.left)) {
      this.left -= piece.length;
      yield piece;
    }
    if (this.left > 0) throw damaged('it ends early');
  }

  async passOver(): Promise<void> {
    const padded = this.left + ((BLOCK - (this.size % BLOCK)) % BLOCK);
    let left = padded;
    for await (const piece of this.chunks.next(padded)) left -= piece.length;
    if (left > 0) throw damaged('it ends early');
  }
}

async function headerData(chunks: PeekedChunks, size: number): Promise<Buffer> {
  if (size > MAX_HEADER_DATA) throw damaged('a header of it is too long');
  const data = await chunks.take(size + ((BLOCK - (size % BLOCK)) % BLOCK));
  if (data === undefined) throw damaged('it ends early');
  return Buffer.from(data.subarray(0, size));
}

const textOf = (bytes: Buffer): string => bytes.toString('utf8').replace(/\0[\s\S]*$/, '');

function numberOf(field: Buffer): number {
  // GNU writes large numbers in binary, marked by the first bit.
  const isBinary = ((field[0] ?? 0) & 0x80) !== 0;
  const value = isBinary
    ? Number(field.subarray(-8).readBigUInt64BE())
    : Number.parseInt(field.toString('latin1').replaceAll('\0', ' ').trim() || '0', 8);
  if (!Number.isSafeInteger(value) || value < 0) throw damaged('a header of it makes no sense');
  return value;
}

function parseHeader(block: Buffer): Header {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (sum !== numberOf(block.subarray(148, 156))) throw damaged('it is no tar archive, or damaged');
  const prefix = block.toString('latin1', 257, 262) === 'ustar' ? textOf(block.subarray(345, 500)) : '';
  const name = textOf(block.subarray(0, 100));
  return {
    type: block.toString('latin1', 156, 157),
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberOf(block.subarray(124, 136)),
  };
}

/** Records are `<length> <keyword>=<value>\n`. */
function paxRecords(data: Buffer): { name?: string; size?: number } {
  const records: { name?: string; size?: number } = {};
  let at = 0;
  while (at < data.length) {
    const blank = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, blank));
    if (blank === -1 || !Number.isSafeInteger(length) || length <= blank - at || at + length > data.length)
      throw damaged('a header of it makes no sense');
    const [, keyword, value = ''] =
      /^([^=]*)=([\s\S]*)\n$/.exec(data.toString('utf8', blank + 1, at + length)) ?? [];
    if (keyword === 'path') records.name = value;
    // What is there is not what the file is made of then.
    if (keyword?.startsWith('GNU.sparse.') === true) throw damaged('it has sparse files');
    if (keyword === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw damaged('a header of it makes no sense');
      records.size = Number(value);
    }
    at += length;
  }
  return records;
}
