import { type DiskRange, checkRange, endOf } from './disk-range.js';
import { joined } from './joined.js';
import { READS_AS_ZEROES } from './metadata-contexts.js';
import type { Extent } from './replies/status-reply.js';

/** A part of a disk that is read, or known to be zeroes. */
export interface PlannedPiece extends DiskRange {
  readonly isZero: boolean;
}

/** What a plan is made of. */
export interface PlanSource {
  readonly size: number;
  /** Whether the server tells where zeroes are. */
  readonly hasAllocation: boolean;
  allocation(range: DiskRange, signal?: AbortSignal): AsyncIterable<Extent>;
}

export interface PlanOptions {
  readonly from: number;
  readonly ranges: Iterable<DiskRange> | AsyncIterable<DiskRange>;
  readonly pieceBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** To read so few zeroes costs less than to leave them out. */
const SHORT_ZEROES = 32_768;

/** Cuts ranges into pieces, in order: zeroes as long as they come, data as long as one request. */
export async function* planPieces(
  source: PlanSource,
  options: PlanOptions,
): AsyncGenerator<PlannedPiece, void, undefined> {
  let end = 0;
  for await (const range of options.ranges) {
    checkRange(range, source.size);
    if (range.offset < end) throw new RangeError('The ranges to read are not in order, or overlap');
    end = endOf(range);
    const offset = Math.max(range.offset, options.from);
    if (offset >= end) continue;
    const parts = partsOf(source, { offset, length: end - offset }, options);
    for await (const part of joined(withoutShortZeroes(parts), isSameKind))
      if (part.isZero) yield part;
      else yield* cut(part, options.pieceBytes);
  }
}

async function* partsOf(
  source: PlanSource,
  range: DiskRange,
  { signal }: PlanOptions,
): AsyncGenerator<PlannedPiece, void, undefined> {
  if (!source.hasAllocation) yield { ...range, isZero: false };
  else
    for await (const { offset, length, flags } of source.allocation(range, signal))
      yield { offset, length, isZero: (flags & READS_AS_ZEROES) !== 0 };
}

/** Data takes the short zeroes beside it in. */
async function* withoutShortZeroes(
  parts: AsyncIterable<PlannedPiece>,
): AsyncGenerator<PlannedPiece, void, undefined> {
  for await (const part of joined(parts, isSameKind))
    yield { ...part, isZero: part.isZero && part.length >= SHORT_ZEROES };
}

const isSameKind = (one: PlannedPiece, next: PlannedPiece): boolean => one.isZero === next.isZero;

/** Cuts at multiples of `pieceBytes`, so that requests are aligned. */
function* cut(part: PlannedPiece, pieceBytes: number): Generator<PlannedPiece, void, undefined> {
  for (let at = part.offset; at < endOf(part);) {
    const end = Math.min(endOf(part), at - (at % pieceBytes) + pieceBytes);
    yield { offset: at, length: end - at, isZero: false };
    at = end;
  }
}
