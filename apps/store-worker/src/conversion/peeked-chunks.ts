/** The chunks of a stream, of which some were looked at before they are handed on. */
export class PeekedChunks implements AsyncIterable<Buffer> {
  private readonly chunks: AsyncIterator<Buffer>;
  private seen: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, which stay there; fewer where the stream ends before. */
  async peek(length: number): Promise<Buffer> {
    while (this.seen.length < length) {
      const { done, value } = await this.chunks.next();
      if (done === true) break;
      this.seen = this.seen.length === 0 ? value : Buffer.concat([this.seen, value]);
    }
    return this.seen.subarray(0, length);
  }

  /** Takes the next bytes out; undefined where the stream ends before. Bounded by what the caller asks for. */
  async take(length: number): Promise<Buffer | undefined> {
    const taken = await this.peek(length);
    if (taken.length < length) return undefined;
    this.seen = this.seen.subarray(length);
    return taken;
  }

  /** Hands out the next bytes chunk by chunk; resolves with how many were missing where the stream ends before. */
  async *next(length: number): AsyncGenerator<Buffer, number> {
    let left = length;
    while (left > 0) {
      if (this.seen.length === 0) await this.peek(1);
      if (this.seen.length === 0) return left;
      const piece = this.seen.subarray(0, left);
      this.seen = this.seen.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
    return 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    if (this.seen.length > 0) {
      const { seen } = this;
      this.seen = Buffer.alloc(0);
      yield seen;
    }
    while (true) {
      const { done, value } = await this.chunks.next();
      if (done === true) return;
      yield value;
    }
  }
}
