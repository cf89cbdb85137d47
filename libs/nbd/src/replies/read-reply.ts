import { violation } from '../nbd-error.js';

/** Pieces of one reply that are remembered: more than one for each 512 bytes is mischief. */
const BYTES_PER_PIECE = 512;
const SPARE_PIECES = 16;

/** The reply to a read, as it comes together in `target`, which nobody looks at before it is complete. */
export class ReadReply {
  readonly kind = 'read';
  private readonly pieces: { from: number; to: number }[] = [];
  private covered = 0;
  private sent = 0;

  /** `offset` is the place of `target` on the disk. */
  constructor(
    private readonly offset: number,
    readonly target: Buffer,
  ) {}

  /** Bytes that came over the wire; holes are none. */
  get dataBytes(): number {
    return this.sent;
  }

  /** Where data of `length` bytes for `offset` goes. */
  data(offset: number, length: number): Buffer {
    const place = this.claim(offset, length);
    this.sent += length;
    return place;
  }

  /** Where the data of a simple reply goes, which is all at once. */
  whole(): Buffer {
    return this.data(this.offset, this.target.length);
  }

  hole(offset: number, length: number): void {
    this.claim(offset, length).fill(0);
  }

  /** Throws unless every byte came, and came once. */
  finish(): void {
    let end = 0;
    for (const { from, to } of this.pieces.toSorted((a, b) => a.from - b.from)) {
      if (from !== end) throw violation('a reply to a read that has gaps or overlaps');
      end = to;
    }
    if (end !== this.target.length) throw violation('a reply to a read that is too short');
  }

  private claim(offset: number, length: number): Buffer {
    const from = offset - this.offset;
    const to = from + length;
    if (length === 0 || from < 0 || to > this.target.length)
      throw violation('data that was not asked for in the reply to a read');
    this.covered += length;
    const limit = SPARE_PIECES + this.target.length / BYTES_PER_PIECE;
    if (this.covered > this.target.length || this.pieces.length >= limit)
      throw violation('a reply to a read in too many pieces');
    this.pieces.push({ from, to });
    return this.target.subarray(from, to);
  }
}
