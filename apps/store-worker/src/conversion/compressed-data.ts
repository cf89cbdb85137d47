import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ServiceError, isServiceError } from '@glimpse/contracts';
import type { LimitedTools, ToolLimits } from './limited-tool.js';

/** Bytes by which compressed data is recognised. */
export const MAGIC_BYTES = 6;

/** The longest wait for a tool to take or give something is bounded by the import; this bounds a tool gone astray. */
const TOOL_LIMITS: ToolLimits = {
  timeoutMs: 86_400_000,
  cpuSeconds: 86_400,
  memoryBytes: 2 ** 29,
  fileBytes: 0,
};

/** Where the ratio begins to count: small data compresses as it likes. */
const FREE_BYTES = 64 * 2 ** 20;

const signatures = [
  { name: 'gzip', magic: '1f8b08' },
  { name: 'xz', magic: 'fd377a585a00' },
  { name: 'zstd', magic: '28b52ffd' },
  { name: 'bzip2', magic: '425a68' },
] as const;

export type Compression = (typeof signatures)[number]['name'];

/** How data is compressed that begins with these bytes; undefined where it is not, or by something else. */
export function compressionOf(head: Buffer): Compression | undefined {
  const hex = head.toString('hex');
  const found = signatures.find(({ magic }) => hex.startsWith(magic))?.name;
  // BZh is followed by the size of its blocks.
  return found === 'bzip2' && !/^[1-9]/.test(head.toString('latin1', 3)) ? undefined : found;
}

export interface DecompressionOptions {
  readonly tools: LimitedTools;
  /** Where tools run. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Bytes that may come out. */
  readonly maxBytes: number;
  /** How many times larger than what went in. */
  readonly maxRatio: number;
}

const failed = (message: string, cause?: unknown) =>
  new ServiceError('CONVERSION_FAILED', message, { cause });

/**
 * Expands data: all of its members, one after the other. Throws CONVERSION_FAILED where it is damaged, ends early, has
 * something else after its end, or expands suspiciously, and QUOTA_EXCEEDED where it becomes too large.
 */
export async function* decompressed(
  compression: Compression,
  chunks: AsyncIterable<Buffer>,
  options: DecompressionOptions,
): AsyncGenerator<Buffer> {
  const counted = new CountedChunks(chunks);
  const expanded =
    compression === 'gzip' || compression === 'zstd'
      ? membersOf(compression, counted)
      : byTool(compression, counted, options);
  let size = 0;
  for await (const piece of expanded) {
    size += piece.length;
    if (size > options.maxBytes)
      throw new ServiceError(
        'QUOTA_EXCEEDED',
        `The decompressed image is larger than ${options.maxBytes} bytes`,
      );
    if (size > FREE_BYTES && size > options.maxRatio * counted.bytes)
      throw failed(`The ${compression} data expands to more than ${options.maxRatio} times its size`);
    yield piece;
  }
}

/** Chunks of which a part can be put back. */
class CountedChunks {
  bytes = 0;
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  async next(): Promise<Buffer | undefined> {
    const { rest } = this;
    this.rest = undefined;
    if (rest !== undefined) return rest;
    const { done, value } = await this.chunks.next();
    if (done === true) return undefined;
    this.bytes += value.length;
    return value;
  }

  putBack(rest: Buffer): void {
    this.rest = rest;
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
    } finally {
      await this.close();
    }
  }
}

/** Node's engines end after a member that is followed by others, and leave the rest unread. */
async function* membersOf(compression: 'gzip' | 'zstd', chunks: CountedChunks): AsyncGenerator<Buffer> {
  try {
    for (let hasMore = true; hasMore;) {
      const engine: Transform & { bytesWritten: number } =
        compression === 'gzip' ? createGunzip() : createZstdDecompress();
      const source: { error?: unknown } = {};
      const feeding = feed(engine, chunks).catch((error: unknown) => {
        source.error = error;
        engine.destroy();
        return false;
      });
      try {
        for await (const piece of engine) yield piece as Buffer;
      } catch (error) {
        throw source.error ?? failed(`The ${compression} data is damaged or ends early`, error);
      } finally {
        engine.destroy();
      }
      hasMore = await feeding;
      if (source.error !== undefined) throw source.error;
    }
  } finally {
    await chunks.close();
  }
}

/** Gives the engine what it takes; resolves with whether something is left after its member. */
async function feed(engine: Transform & { bytesWritten: number }, chunks: CountedChunks): Promise<boolean> {
  let fed = 0;
  for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next()) {
    fed += chunk.length;
    await taken(engine, chunk);
    if (engine.destroyed) return false;
    const left = fed - engine.bytesWritten;
    if (left > 0) {
      chunks.putBack(chunk.subarray(chunk.length - left));
      return true;
    }
  }
  engine.end();
  return false;
}

/** Resolves when the engine has worked on the chunk, or was given up. */
function taken(engine: Transform, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      engine.off('close', done);
      resolve();
    };
    engine.once('close', done);
    engine.write(chunk, done);
  });
}

async function* byTool(
  compression: 'xz' | 'bzip2',
  chunks: CountedChunks,
  { tools, directory, signal }: DecompressionOptions,
): AsyncGenerator<Buffer> {
  const stopped = new AbortController();
  const tool = await tools.start(compression, ['--decompress', '--stdout'], {
    limits: TOOL_LIMITS,
    directory,
    signal: AbortSignal.any([signal, stopped.signal]),
  });
  const source: { error?: unknown } = {};
  const feeding = pipeline(
    chunks,
    async function* guarded(input) {
      try {
        yield* input;
      } catch (error) {
        source.error = error;
        throw error;
      }
    },
    tool.stdin,
  ).catch(() => undefined);
  try {
    for await (const piece of tool.stdout) yield piece as Buffer;
    const end = await tool.ended;
    await feeding;
    signal.throwIfAborted();
    // bzip2 only complains of what follows its data.
    if (end.code !== 0 || end.complaint !== '')
      throw failed(`The ${compression} data is damaged, ends early or has something else after its end`);
  } catch (error) {
    if (source.error !== undefined) throw source.error;
    throw isServiceError(error) ? error : failed(`The ${compression} data cannot be read`, error);
  } finally {
    stopped.abort();
    tool.stdin.destroy();
    if (!tool.stdout.closed) tool.stdout.destroy();
    await feeding;
    await chunks.close();
  }
}
