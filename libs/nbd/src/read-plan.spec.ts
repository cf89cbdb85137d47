import { describe, expect, it } from '@jest/globals';
import type { DiskRange } from './disk-range.js';
import { type PlanOptions, planPieces } from './read-plan.js';

const KIB = 1_024;
const SIZE = 1_024 * KIB;

/** A disk whose extents are `[length, isZero]` in KiB. */
function disk(...extents: readonly (readonly [number, boolean])[]) {
  return {
    size: SIZE,
    hasAllocation: true,
    async *allocation({ offset, length }: DiskRange) {
      let at = 0;
      for (const [kib, isZero] of extents) {
        const from = Math.max(at, offset);
        const to = Math.min((at += kib * KIB), offset + length);
        if (from < to) yield { offset: from, length: to - from, flags: isZero ? 2 : 1 };
      }
    },
  };
}

async function plan(source: ReturnType<typeof disk>, options: Partial<PlanOptions> = {}) {
  const pieces: [number, number, string][] = [];
  const all = { from: 0, ranges: [{ offset: 0, length: SIZE }], pieceBytes: 256 * KIB, ...options };
  for await (const { offset, length, isZero } of planPieces(source, all))
    pieces.push([offset / KIB, length / KIB, isZero ? 'zero' : 'data']);
  return pieces;
}

describe('a plan to read a disk', () => {
  it('cuts data at multiples of a piece and leaves zeroes whole', async () => {
    expect(await plan(disk([100, false], [600, true], [324, false]))).toEqual([
      [0, 100, 'data'],
      [100, 600, 'zero'],
      [700, 68, 'data'],
      [768, 256, 'data'],
    ]);
  });

  it('reads zeroes that are too short to be worth a request', async () => {
    expect(await plan(disk([10, false], [31, true], [10, false], [32, true], [941, false]))).toEqual([
      [0, 51, 'data'],
      [51, 32, 'zero'],
      [83, 173, 'data'],
      [256, 256, 'data'],
      [512, 256, 'data'],
      [768, 256, 'data'],
    ]);
  });

  it('keeps to ranges, and begins where an earlier one stopped', async () => {
    const ranges = [
      { offset: 0, length: 10 * KIB },
      { offset: 200 * KIB, length: 100 * KIB },
      { offset: 700 * KIB, length: 10 * KIB },
    ];

    expect(await plan(disk([600, false], [424, true]), { ranges, from: 210 * KIB })).toEqual([
      [210, 46, 'data'],
      [256, 44, 'data'],
      [700, 10, 'data'],
    ]);
  });

  it('refuses ranges that overlap or are not on the disk', async () => {
    const overlapping = [
      { offset: 0, length: 10 },
      { offset: 9, length: 10 },
    ];

    await expect(plan(disk([1_024, true]), { ranges: overlapping })).rejects.toThrow(RangeError);
    await expect(plan(disk(), { ranges: [{ offset: SIZE, length: 1 }] })).rejects.toThrow(RangeError);
  });
});
