import type { Slot } from './slot.js';

/** The slots that a driver is writing from. Each is held until the driver releases its chunk. */
export class LentChunks {
  private readonly slots = new Map<Buffer, Slot>();

  lend(slot: Slot): Buffer {
    const chunk = slot.bytes;
    slot.retain();
    this.slots.set(chunk, slot);
    return chunk;
  }

  release(chunk: Buffer): void {
    this.slots.get(chunk)?.release();
    this.slots.delete(chunk);
  }

  releaseAll(): void {
    for (const chunk of this.slots.keys()) this.release(chunk);
  }
}
