import type { DiskRange } from './disk-range.js';
import type { BlockSizes } from './handshake/export-info.js';
import { type PlanSource, type PlannedPiece, planPieces } from './read-plan.js';

/** A piece of a disk, as it comes out of a stream. */
export interface DiskPiece extends DiskRange {
  /** Its bytes, which are the taker's; `null` where all of them are zero and nothing was sent. */
  readonly data: Buffer | null;
}

export interface ReadStreamOptions {
  /** Nothing before this is read: where an earlier stream stopped. Default 0. */
  readonly from?: number;
  /** Only these, in order and apart; by default the whole disk. */
  readonly ranges?: Iterable<DiskRange> | AsyncIterable<DiskRange>;
  /** Ends the stream with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are read before somebody takes them; default 8 MiB. */
  readonly readAheadBytes?: number;
}

/** What a stream reads from. */
export interface StreamSource extends PlanSource {
  readonly blockSizes: BlockSizes;
  read(range: DiskRange, signal?: AbortSignal): Promise<{ data: Buffer; isHole: boolean }>;
}

const READ_AHEAD_BYTES = 8_388_608;
const PIECE_BYTES = 1_048_576;
/** Pieces that wait for the taker, of which those of zeroes have no bytes. */
const MAX_WAITING = 1_024;

/** Plans, reads ahead and hands out in order. */
export async function* readInOrder(
  source: StreamSource,
  options: ReadStreamOptions,
): AsyncGenerator<DiskPiece, void, undefined> {
  const { from = 0, ranges = [{ offset: 0, length: source.size }] } = options;
  options.signal?.throwIfAborted();
  // A taker who leaves early does not wait for answers that nobody needs any more.
  const leaving = new AbortController();
  const signal = AbortSignal.any([leaving.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const pieceBytes = Math.min(PIECE_BYTES, source.blockSizes.maximum);
  const plan = planPieces(source, { from, ranges, pieceBytes, signal });
  const ahead = new ReadAhead(source, plan, options.readAheadBytes ?? READ_AHEAD_BYTES, signal);
  try {
    for (;;) {
      const piece = await ahead.next();
      if (piece === null) return;
      yield piece;
    }
  } finally {
    leaving.abort();
    await ahead.stop();
  }
}

interface Waiting {
  readonly bytes: number;
  readonly piece: Promise<DiskPiece>;
}

/** Pulls the plan and starts reads as long as there is room, beside the taker. */
class ReadAhead {
  private readonly waiting: Waiting[] = [];
  private bytes = 0;
  private pulling: Promise<void> | null = null;
  private isEnded = false;
  private failure: { readonly error: unknown } | null = null;
  private wake: (() => void) | null = null;

  constructor(
    private readonly source: StreamSource,
    private readonly plan: AsyncGenerator<PlannedPiece, void, undefined>,
    private readonly room: number,
    private readonly signal: AbortSignal,
  ) {}

  /** The next piece, `null` at the end. */
  async next(): Promise<DiskPiece | null> {
    this.pull();
    while (this.waiting.length === 0 && !this.isEnded)
      await new Promise<void>((resolve) => (this.wake = resolve));
    const first = this.waiting.shift();
    if (first === undefined) {
      if (this.failure !== null) throw this.failure.error;
      return null;
    }
    const piece = await first.piece;
    this.bytes -= first.bytes;
    this.pull();
    return piece;
  }

  async stop(): Promise<void> {
    this.isEnded = true;
    await this.pulling;
    await this.plan.return();
  }

  private pull(): void {
    // Only with room: what ends before its first pause would end before it is noted that it began.
    if (this.pulling === null && !this.isEnded && this.hasRoom()) this.pulling = this.pullWhileRoom();
  }

  private async pullWhileRoom(): Promise<void> {
    try {
      while (!this.isEnded && this.hasRoom()) {
        const planned = await this.plan.next();
        if (planned.done === true) this.isEnded = true;
        else this.start(planned.value);
        this.wake?.();
      }
    } catch (error) {
      this.failure = { error };
      this.isEnded = true;
      this.wake?.();
    } finally {
      this.pulling = null;
    }
  }

  private hasRoom(): boolean {
    return this.waiting.length === 0 || (this.bytes < this.room && this.waiting.length < MAX_WAITING);
  }

  private start({ offset, length, isZero }: PlannedPiece): void {
    const piece = isZero
      ? Promise.resolve({ offset, length, data: null })
      : this.source
          .read({ offset, length }, this.signal)
          .then(({ data, isHole }) => ({ offset, length, data: isHole ? null : data }));
    // Whoever takes it hears of the error; one that nobody takes any more harms nobody.
    piece.catch(() => undefined);
    const bytes = isZero ? 0 : length;
    this.bytes += bytes;
    this.waiting.push({ bytes, piece });
  }
}
