/** Bytes of a piece of a disk: those of a slot of the pipeline, so that nothing is gathered. */
export const CHUNK_BYTES = 2 ** 20;

const zeros = Buffer.alloc(CHUNK_BYTES);

/** So many zeros, which nobody may write to: they are always the same ones. */
export function* zeroChunks(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= CHUNK_BYTES)
    yield left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros;
}
