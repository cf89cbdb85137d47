import { TAIL_BYTES } from './format-inspector.js';

const MEMORY_BYTES = 8 * TAIL_BYTES;

/** Keeps the last bytes of a stream. */
export class StreamTail {
  private readonly memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  private used = 0;

  accept(piece: Buffer): void {
    const news = piece.subarray(Math.max(0, piece.length - TAIL_BYTES));
    if (this.used + news.length > MEMORY_BYTES) {
      this.memory.copyWithin(0, this.used - TAIL_BYTES, this.used);
      this.used = TAIL_BYTES;
    }
    news.copy(this.memory, this.used);
    this.used += news.length;
  }

  /** At most {@link TAIL_BYTES}. */
  get bytes(): Buffer {
    return this.memory.subarray(Math.max(0, this.used - TAIL_BYTES), this.used);
  }
}
