import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { ServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import * as fc from 'fast-check';
import type { OpenSource } from './fill-source.js';
import { ImageCache } from './image-cache.js';

const SIZE = 192 * 1024;
const data = randomBytes(SIZE);
const value = createHash('sha256').update(data).digest('hex');
const wanted = {
  imageId: 'i',
  identity: value,
  size: SIZE,
  checksum: null,
  hash: { algorithm: 'sha256', value },
};

interface Reader {
  readonly startsAfter: number;
  readonly range: readonly [number, number] | undefined;
  /** Turns of the event loop that it takes between two chunks. */
  readonly slowness: number;
  readonly leavesAfter: number | undefined;
}

interface Source {
  readonly pieceBytes: number;
  readonly slowness: number;
  /** Where each attempt breaks off. */
  readonly breaks: readonly number[];
}

const position = fc.integer({ min: 0, max: SIZE - 1 });
const readers = fc.array(
  fc.record<Reader>({
    startsAfter: fc.integer({ min: 0, max: 60 }),
    range: fc.option(
      fc.tuple(position, position).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      { nil: undefined },
    ),
    slowness: fc.integer({ min: 0, max: 5 }),
    leavesAfter: fc.option(fc.integer({ min: 0, max: SIZE }), { nil: undefined, freq: 4 }),
  }),
  { minLength: 1, maxLength: 12 },
);
const source = fc.record<Source>({
  pieceBytes: fc.integer({ min: 500, max: 70_000 }),
  slowness: fc.integer({ min: 0, max: 3 }),
  breaks: fc.array(position, { maxLength: 7 }),
});

const turns = async (count: number) => {
  for (let n = 0; n < count; n += 1) await turn();
};

/** Opens the data as the source gives it; counts how often, and how often it broke. */
function storeOf({ pieceBytes, slowness, breaks }: Source) {
  const seen = { opened: 0, broke: 0 };
  async function* pieces(start: number, end: number, breakAt: number): AsyncGenerator<Buffer> {
    for (let at = start; at <= end; at += pieceBytes) {
      if (at >= breakAt) {
        seen.broke += 1;
        throw new ServiceError('STORE_UNAVAILABLE', 'broken');
      }
      await turns(slowness);
      yield Buffer.from(data.subarray(at, Math.min(at + pieceBytes, end + 1)));
    }
  }
  const open: OpenSource = async ({ range, attempt }) => {
    seen.opened += 1;
    const { start, end } = range ?? { start: 0, end: SIZE - 1 };
    return Readable.from(pieces(start, end, breaks[attempt] ?? Number.POSITIVE_INFINITY), {
      objectMode: false,
    });
  };
  return { open, seen };
}

type Ending = 'whole' | 'left' | 'failed' | 'not-cached' | 'wrong';

async function read(cache: ImageCache, open: OpenSource, reader: Reader): Promise<Ending> {
  await turns(reader.startsAfter);
  const [start, end] = reader.range ?? [0, SIZE - 1];
  const stream = await cache.read({
    wanted,
    mayFill: true,
    openSource: open,
    openRest: (range, signal) => open({ range, attempt: 99, signal }),
    ...(reader.range === undefined ? {} : { range: { start, end } }),
  });
  if (stream === undefined) return 'not-cached';
  let at = start;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (!chunk.equals(data.subarray(at, at + chunk.length))) return 'wrong';
      at += chunk.length;
      if (reader.leavesAfter !== undefined && at - start >= reader.leavesAfter) return 'left';
      await turns(reader.slowness);
    }
  } catch (error) {
    return error instanceof ServiceError ? 'failed' : 'wrong';
  }
  return at === end + 1 ? 'whole' : 'wrong';
}

it('gives every reader the bytes of the image or an error, and reads its store once unless that failed', async () => {
  await fc.assert(
    fc.asyncProperty(readers, source, async (whoReads, how) => {
      const dir = await mkdtemp(join(tmpdir(), 'glimpse-cache-'));
      const logger = createLogger('spec', { level: 'silent' });
      const cache = await ImageCache.open({
        dir,
        maxBytes: SIZE,
        stallTimeMs: 10_000,
        logger,
        onMismatch: () => {},
      });
      try {
        const { open, seen } = storeOf(how);

        const endings = await Promise.all(whoReads.map((reader) => read(cache, open, reader)));

        const isFetched = whoReads.some(({ range }, n) => range === undefined && endings[n] === 'whole');
        if (isFetched) await waitFor('the image to be kept', () => cache.has('i'));
        const kept = cache.has('i') ? await readFile(join(dir, 'images', 'i')) : data;
        expect({
          isWrong: endings.includes('wrong') || !kept.equals(data),
          failsThough: seen.broke < 5 && endings.includes('failed'),
          readsAgainThough: !endings.includes('left') && seen.opened > 1 + seen.broke,
        }).toEqual({ isWrong: false, failsThough: false, readsAgainThough: false });
      } finally {
        await cache.close();
        await rm(dir, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});
