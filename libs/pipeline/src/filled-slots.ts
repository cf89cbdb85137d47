import type { Slot } from './memory/slot.js';
import type { SlotShare } from './memory/slot-pool.js';

/**
 * Gathers chunks into slots, all full but the last. A slot is the caller's until it asks for the next. `whenTaken` is
 * called with each chunk that was copied to its end.
 */
export async function* filledSlots(
  chunks: AsyncIterable<Buffer>,
  slots: SlotShare,
  whenTaken: (chunk: Buffer) => void = () => undefined,
): AsyncGenerator<Slot> {
  let slot: Slot | undefined;
  try {
    for await (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length;) {
        slot ??= await slots.take();
        offset += slot.take(chunk, offset);
        if (slot.isFull) {
          yield slot;
          slot.release();
          slot = undefined;
        }
      }
      whenTaken(chunk);
    }
    if (slot !== undefined) yield slot;
  } finally {
    slot?.release();
  }
}
