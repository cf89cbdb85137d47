/** A part of an object while it is gathered, and until it has been sent. */
export class PartBuffer {
  private readonly memory: Buffer;
  private filled = 0;

  constructor(readonly capacity: number) {
    // Pages that nothing is written to take no memory.
    this.memory = Buffer.allocUnsafeSlow(capacity);
  }

  get isFull(): boolean {
    return this.filled === this.capacity;
  }

  /** What was gathered. */
  get bytes(): Buffer {
    return this.memory.subarray(0, this.filled);
  }

  /** Copies of `chunk`, from `offset` on, what there is room for; the number of bytes. */
  take(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.memory, this.filled, offset);
    this.filled += copied;
    return copied;
  }

  /** Empty again. */
  reset(): void {
    this.filled = 0;
  }
}
