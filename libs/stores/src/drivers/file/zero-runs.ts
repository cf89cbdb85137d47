/** A file is thinned out in blocks of this many bytes, counted from its beginning. */
const BLOCK_BYTES = 65_536;
const zeros = Buffer.alloc(BLOCK_BYTES);

/** A part of a buffer: from `start` up to, not including, `end`. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** The parts of `chunk`, which lies at `position` of a file, that hold anything but whole blocks of zeros. */
export function dataRuns(chunk: Buffer, position: number): Run[] {
  const runs: { start: number; end: number }[] = [];
  for (let start = 0, end = 0; start < chunk.length; start = end) {
    end = Math.min(chunk.length, start + BLOCK_BYTES - ((position + start) % BLOCK_BYTES));
    if (chunk.compare(zeros, 0, end - start, start, end) === 0) continue;
    const last = runs.at(-1);
    if (last?.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}
