import { ServiceError } from '@glimpse/contracts';
import type { S3Options } from './s3.options.js';

const MIB = 1_048_576;
/** S3 takes no more parts of one object. */
export const MAX_PARTS = 10_000;
/** Data of unknown size: every so many parts the next ones are twice as large … */
const GROW_EVERY_PARTS = 500;
/** … up to this size. With parts of 10 MiB at first there is room for 1 TiB, the most that Glimpse takes unless told otherwise. */
const LARGEST_GROWN_BYTES = 128 * MIB;

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
 * Parts for data of `expectedSize` bytes: as large as they must be for 10,000 of them. Where it is not known they grow
 * as more and more comes; the first is what an object may have that is sent at once.
 */
export function planParts(
  { chunkBytes, largeObjectBytes }: Pick<S3Options, 'chunkBytes' | 'largeObjectBytes'>,
  expectedSize: number | undefined,
): PartPlan {
  if (expectedSize !== undefined && expectedSize > 0) {
    const part = Math.max(chunkBytes, Math.ceil(expectedSize / MAX_PARTS / MIB) * MIB);
    const first = expectedSize < largeObjectBytes ? expectedSize : part;
    // Data that turns out to be larger than it was said to be is refused by whoever sends it.
    return { sizeOf: (partNumber) => (partNumber === 1 ? first : part) };
  }
  const largest = Math.max(chunkBytes, LARGEST_GROWN_BYTES);
  return {
    sizeOf: (partNumber) => {
      refuseBehindLast(partNumber);
      const grown = chunkBytes * 2 ** Math.floor((partNumber - 1) / GROW_EVERY_PARTS);
      return partNumber === 1 ? Math.max(largeObjectBytes, chunkBytes) : Math.min(grown, largest);
    },
  };
}
