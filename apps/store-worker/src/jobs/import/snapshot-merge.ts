import type { DiskPiece } from '@glimpse/nbd';
import { PeekedChunks } from '../../conversion/peeked-chunks.js';
import { zeroChunks } from './disk-chunks.js';
import { failed } from './failed.js';

const tooShort = () => failed('The data of the parent image ends before its disk does');

/** The disk that the pieces are all of. */
export async function* wholeDisk(pieces: AsyncIterable<DiskPiece>): AsyncGenerator<Buffer> {
  for await (const { data, length } of pieces) yield* data === null ? zeroChunks(length) : [data];
}

/**
 * The disk of the pieces, in order; what is between them is the parent's, a disk of `parentSize` bytes. All of the parent is
 * read, also what is not used, so that it can be verified: its failure, at its end at the latest, is that of the whole.
 */
export async function* mergedDisk(
  pieces: AsyncIterable<DiskPiece>,
  parent: AsyncIterable<Buffer>,
  parentSize: number,
): AsyncGenerator<Buffer> {
  const kept = new PeekedChunks(parent);
  let position = 0;
  for await (const { offset, length, data } of pieces) {
    if ((yield* kept.next(offset - position)) > 0) throw tooShort();
    await skip(kept, Math.min(length, Math.max(0, parentSize - offset)));
    yield* data === null ? zeroChunks(length) : [data];
    position = offset + length;
  }
  if (position < parentSize && (yield* kept.next(parentSize - position)) > 0) throw tooShort();
  for await (const rest of kept)
    if (rest.length > 0) throw failed('The data of the parent image goes on after the end of its disk');
}

async function skip(chunks: PeekedChunks, length: number): Promise<void> {
  const skipped = chunks.next(length);
  let step = await skipped.next();
  while (step.done !== true) step = await skipped.next();
  if (step.value > 0) throw tooShort();
}
