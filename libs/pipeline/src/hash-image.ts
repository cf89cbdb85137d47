import type { HashPool } from './hashing/hash-pool.js';
import type { SlotShare } from './memory/slot-pool.js';
import { filledSlots } from './filled-slots.js';
import { type MeasureRequest, type Measured, Measurement } from './measurement.js';
import { sourceChunks } from './source-chunks.js';

/** Data to read to its end, and what to find out about it. */
export interface HashImageRequest extends MeasureRequest {
  /** A name that `node:crypto` knows. */
  readonly hashAlgorithm: string;
}

/** What data turned out to be. */
export interface HashedImage extends Measured {
  readonly osHashValue: string;
}

/** Reads data that lies in a store already, in constant memory. */
export async function hashImage(
  request: HashImageRequest,
  slots: SlotShare,
  hashes: HashPool,
): Promise<HashedImage> {
  const { source, signal, hashAlgorithm } = request;
  const measurement = new Measurement(request, [hashAlgorithm], hashes);
  try {
    const chunks = measurement.lookAt(sourceChunks(source, signal));
    for await (const slot of filledSlots(chunks, slots)) measurement.accept(slot);
    const digests = await measurement.finish();
    return { ...measurement.describe(digests), osHashValue: digests.get(hashAlgorithm) ?? '' };
  } finally {
    measurement.close();
  }
}
