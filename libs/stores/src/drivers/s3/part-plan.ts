import { ServiceError } from '@glimpse/contracts';
import type { S3Options } from './s3.options.js';

const MIB = 1_048_576;
/** S3 takes no more parts of one object. */
export const MAX_PARTS = 10_000;
/** Parts that grow: every so many the next ones are twice as large … */
const GROW_EVERY_PARTS = 500;
/** … up to this size, or to what so many parts need for a size that is known to be larger. With parts of 10 MiB at first there is room for 1 TiB, the most that Glimpse takes unless told otherwise. */
const LARGEST_GROWN_BYTES = 128 * MIB;
const GROWN_PARTS = 6_000;

/** How large the parts of an object are. */
export interface PartPlan {
  /** Bytes of a part, from 1. Throws `STORE_FULL` behind the last that S3 takes. */
  sizeOf(partNumber: number): number;
}

function refuseBehindLast(partNumber: number): void {
  if (partNumber > MAX_PARTS)
    throw new ServiceError(
      'STORE_FULL',
      'The data is larger than data of unknown size may be in an S3 store: say its size beforehand, or raise large_object_chunk_size',
    );
}

/**
 * Parts for data of `expectedSize` bytes, or of unknown size. Where 10,000 of the configured size are not enough they grow
 * as more and more comes, up to what the size takes: who only says that much will come makes nobody hold more memory.
 */
export function planParts(
  { chunkBytes, largeObjectBytes }: Pick<S3Options, 'chunkBytes' | 'largeObjectBytes'>,
  expectedSize: number | undefined,
): PartPlan {
  if (expectedSize !== undefined && expectedSize > 0 && expectedSize <= chunkBytes * MAX_PARTS) {
    const first = expectedSize < largeObjectBytes ? expectedSize : chunkBytes;
    // Data that turns out to be larger than it was said to be is refused by whoever sends it.
    return { sizeOf: (partNumber) => (partNumber === 1 ? first : chunkBytes) };
  }
  const needed = Math.ceil((expectedSize ?? 0) / GROWN_PARTS / MIB) * MIB;
  const largest = Math.max(chunkBytes, LARGEST_GROWN_BYTES, needed);
  const first = expectedSize === undefined ? Math.max(largeObjectBytes, chunkBytes) : chunkBytes;
  return {
    sizeOf: (partNumber) => {
      refuseBehindLast(partNumber);
      const grown = chunkBytes * 2 ** Math.floor((partNumber - 1) / GROW_EVERY_PARTS);
      return partNumber === 1 ? first : Math.min(grown, largest);
    },
  };
}
