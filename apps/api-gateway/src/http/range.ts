import { ServiceError } from '@glimpse/contracts';
import { HttpError } from './http-error.js';

/** A range as asked for: before the size of the image is known. */
export type RangeRequest =
  | { readonly kind: 'from'; readonly start: number; readonly end: number | undefined }
  | { readonly kind: 'suffix'; readonly length: number };

/** Bytes to send, `start` to `end` with both included; `end` is `start - 1` when there is nothing. */
export interface ResolvedRange {
  readonly start: number;
  readonly end: number;
  readonly contentRange: string;
}

const notSatisfiable = () => new HttpError(416, 'The requested range is not satisfiable.');

// Positions beyond 2^53 are beyond every image; as numbers they only have to stay comparable.
const FROM = /^(\d+)\s*-\s*(\d+)?$/;
const SUFFIX = /^-\s*(\d+)$/;
const CONTENT_RANGE = /^\s*bytes\s+(\d+)\s*-\s*(\d+)\s*\/\s*(\*|\d+)\s*$/i;

function parseRange(header: string): RangeRequest {
  const [, value] = /^\s*bytes\s*=(.*)$/is.exec(header) ?? [];
  if (value === undefined) throw notSatisfiable();
  if (value.includes(','))
    throw new ServiceError('REQUEST_INVALID', 'Requests with multiple ranges are not supported.');
  const text = value.trim();
  const suffix = SUFFIX.exec(text);
  if (suffix !== null) return { kind: 'suffix', length: Number(suffix[1]) };
  const from = FROM.exec(text);
  if (from === null) throw notSatisfiable();
  const start = Number(from[1]);
  const end = from[2] === undefined ? undefined : Number(from[2]);
  if (end !== undefined && end < start) throw notSatisfiable();
  return { kind: 'from', start, end };
}

/** Old hypervisor drivers of Nova ask for a range with a Content-Range header in the request. */
function parseContentRange(header: string): RangeRequest {
  const parts = CONTENT_RANGE.exec(header);
  if (parts === null) throw notSatisfiable();
  const [start, end] = [Number(parts[1]), Number(parts[2])];
  if (end < start || (parts[3] !== '*' && Number(parts[3]) <= end)) throw notSatisfiable();
  return { kind: 'from', start, end };
}

/** The range that the headers ask for, if any; Range wins over Content-Range. 416 when it can't be understood. */
export function requestedRange(headers: {
  range?: string | undefined;
  'content-range'?: string | undefined;
}): RangeRequest | undefined {
  if (headers.range !== undefined) return parseRange(headers.range);
  if (headers['content-range'] !== undefined) return parseContentRange(headers['content-range']);
  return undefined;
}

/** The range within an object of `size` bytes; an end beyond it is cut, a start beyond it is a 416. */
export function resolveRange(range: RangeRequest, size: number): ResolvedRange {
  if (range.kind === 'from' && range.start >= size) throw notSatisfiable();
  const start =
    range.kind === 'from'
      ? range.start
      : // Glance answers `bytes=-0` with the whole image.
        range.length === 0
        ? 0
        : Math.max(0, size - range.length);
  const end = range.kind === 'from' ? Math.min(range.end ?? size - 1, size - 1) : size - 1;
  return { start, end, contentRange: `bytes ${start}-${end}/${size}` };
}
