import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { isServiceError } from '@glimpse/contracts';
import { type Compression, compressionOf, decompressed } from './compressed-data.js';
import { LimitedTools } from './limited-tool.js';

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const byTool = (tool: string) => (data: Buffer) =>
  execFileSync(tool, ['--compress', '--stdout'], { input: data, maxBuffer: 2 ** 28 });

const compress: Record<Compression, (data: Buffer) => Buffer> = {
  gzip: (data) => gzipSync(data),
  // Without a checksum, which is an option there, damage goes unnoticed.
  zstd: (data) => zstdCompressSync(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  xz: byTool('xz'),
  bzip2: byTool('bzip2'),
};

const tools = new LimitedTools();
const limits = { maxBytes: 2 ** 30, maxRatio: 500 };

async function* inChunks(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function expand(
  compression: Compression,
  data: Buffer,
  chunk = 65_536,
  more: Partial<typeof limits> = {},
) {
  const pieces: Buffer[] = [];
  const { signal } = new AbortController();
  const options = { tools, directory: tmpdir(), signal, ...limits, ...more };
  for await (const piece of decompressed(compression, inChunks(data, chunk), options)) pieces.push(piece);
  return Buffer.concat(pieces);
}
const problem = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'none',
    (error: unknown) => (isServiceError(error) ? `${error.code}: ${error.message}` : String(error)),
  );

const DATA = Buffer.concat([randomBytes(200_000), Buffer.alloc(300_000, 'x'), randomBytes(100_000)]);
const names = ['gzip', 'zstd', 'xz', 'bzip2'] as const;

describe.each(names)('data compressed by %s', (name) => {
  const whole = compress[name](DATA);

  it('is recognised, and expanded whatever its chunks', async () => {
    expect(compressionOf(whole.subarray(0, 6))).toBe(name);
    for (const chunk of [whole.length, 65_536, 4_099])
      expect(digest(await expand(name, whole, chunk))).toBe(digest(DATA));
  });

  it('may have several members', async () => {
    const second = compress[name](Buffer.from('and more'));
    const expected = digest(Buffer.concat([DATA, Buffer.from('and more'), DATA]));
    const members = Buffer.concat([whole, second, whole]);

    for (const chunk of [members.length, whole.length, 4_099])
      expect(digest(await expand(name, members, chunk))).toBe(expected);
  });

  it('may be empty', async () => {
    expect(await expand(name, compress[name](Buffer.alloc(0)))).toHaveLength(0);
  });

  it.each([
    ['ends early', () => whole.subarray(0, -1)],
    ['ends in the middle', () => whole.subarray(0, whole.length / 2)],
    ['ends in its second member', () => Buffer.concat([whole, whole.subarray(0, 20)])],
    ['is followed by something else', () => Buffer.concat([whole, Buffer.from('and some rubbish')])],
    [
      'is damaged',
      () => {
        const copy = Buffer.from(whole);
        copy[whole.length - 3000]! ^= 0xff;
        copy[whole.length - 6]! ^= 0xff;
        return copy;
      },
    ],
  ])('is refused when it %s', async (_how, make) => {
    const data = make();

    for (const chunk of [data.length, whole.length, 997])
      expect(await problem(expand(name, data, chunk))).toMatch(/^CONVERSION_FAILED: The \w+ data /);
  });

  it('is refused when it becomes too large', async () => {
    expect(await problem(expand(name, whole, 65_536, { maxBytes: DATA.length - 1 }))).toMatch(
      /^QUOTA_EXCEEDED/,
    );
  });

  it('is refused when it is a bomb', async () => {
    const bomb = compress[name](Buffer.alloc(70 * 2 ** 20));

    const outcome = await problem(expand(name, bomb, 65_536, { maxRatio: 100 }));

    expect(outcome).toContain('expands to more than 100 times its size');
  });

  it('ends with the error of its source', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield whole.subarray(0, 1000);
      throw new Error('the line went dead');
    }
    const { signal } = new AbortController();
    const reading = async () => {
      for await (const _ of decompressed(name, broken(), { tools, directory: tmpdir(), signal, ...limits }));
    };

    await expect(reading()).rejects.toThrow('the line went dead');
  });

  it('can be left in the middle', async () => {
    const { signal } = new AbortController();
    const big = compress[name](Buffer.alloc(3 * 2 ** 20, 'abc'));
    for await (const piece of decompressed(name, inChunks(big, 1000), {
      tools,
      directory: tmpdir(),
      signal,
      ...limits,
    })) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  });
});

it('other data is not taken for compressed', () => {
  expect(compressionOf(Buffer.from('BZh0xx'))).toBeUndefined();
  expect(compressionOf(Buffer.from('QFI\xfb', 'latin1'))).toBeUndefined();
  expect(compressionOf(Buffer.alloc(0))).toBeUndefined();
});
