import { violation } from '../nbd-error.js';

/** A part of a disk with what a metadata context says of it. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  /** What it means is the context's matter. */
  readonly flags: number;
}

/** What is kept of one reply; the rest is asked for again. */
const MAX_EXTENTS = 65_536;

/** The reply to a question about the status of blocks. */
export class StatusReply {
  readonly kind = 'status';
  private readonly told = new Map<number, Extent[]>();
  private current: Extent[] = [];
  private end: number;

  /** `ids` are the contexts that were agreed on. */
  constructor(
    private readonly offset: number,
    private readonly length: number,
    private readonly ids: ReadonlySet<number>,
  ) {
    this.end = offset;
  }

  /** Extents of the context `id` follow. */
  begin(id: number): void {
    if (!this.ids.has(id) || this.told.has(id))
      throw violation('the status of blocks for a context that was not asked for');
    this.end = this.offset;
    this.current = [];
    this.told.set(id, this.current);
  }

  extent(length: number, flags: number): void {
    const limit = this.offset + this.length;
    if (length === 0 || this.end >= limit) throw violation('the status of blocks that were not asked for');
    // The last one may tell of more than was asked.
    const end = Math.min(this.end + length, limit);
    if (this.current.length < MAX_EXTENTS)
      this.current.push({ offset: this.end, length: end - this.end, flags });
    this.end = end;
  }

  finish(): void {
    for (const id of this.ids)
      if (!this.told.has(id)) throw violation('a context without a status of its blocks');
  }

  /** The extents of a context, from the start of what was asked for; at least one. */
  extentsOf(id: number): readonly Extent[] {
    return this.told.get(id) ?? [];
  }
}
