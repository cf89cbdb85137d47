import { describe, expect, it } from '@jest/globals';
import { MAX_PARTS, planParts } from './part-plan.js';

const MIB = 1_048_576;
const TIB = MIB ** 2;
const options = { chunkBytes: 10 * MIB, largeObjectBytes: 10 * MIB };
const all = (expectedSize: number | undefined) => {
  const plan = planParts(options, expectedSize);
  return Array.from({ length: MAX_PARTS }, (_, index) => plan.sizeOf(index + 1));
};
const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);

describe('planParts', () => {
  it('has room for the largest object that S3 takes, where the size is known', () => {
    for (const size of [11 * MIB, 97 * 1024 * MIB, 98 * 1024 * MIB, TIB, 5 * TIB])
      expect(sum(all(size))).toBeGreaterThanOrEqual(size);
    expect(all(97 * 1024 * MIB)[0]).toBe(10 * MIB);
  });

  it('has room for a tebibyte of unknown size, in parts that are small as long as they can', () => {
    const sizes = all(undefined);

    expect(sum(sizes)).toBeGreaterThanOrEqual(TIB);
    expect(sizes[499]).toBe(10 * MIB);
    expect(Math.max(...sizes)).toBe(128 * MIB);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });

  it('has parts that hold little of data that is only said to be large', () => {
    for (const size of [98 * 1024 * MIB, TIB, 5 * TIB]) {
      expect(all(size)[0]).toBe(10 * MIB);
      expect(all(size)[499]).toBe(10 * MIB);
      expect(Math.max(...all(size))).toBeLessThan(1024 * MIB);
    }
  });

  it('says what to do about more', () => {
    expect(() => planParts(options, undefined).sizeOf(MAX_PARTS + 1)).toThrow(
      expect.objectContaining({ code: 'STORE_FULL', message: expect.stringContaining('say its size') }),
    );
  });

  it('holds no more for small data than there is', () => {
    expect(planParts(options, 1000).sizeOf(1)).toBe(1000);
  });

  it('sends at once what is smaller than a large object', () => {
    expect(planParts({ ...options, largeObjectBytes: 100 * MIB }, 90 * MIB).sizeOf(1)).toBe(90 * MIB);
    expect(planParts({ ...options, largeObjectBytes: 100 * MIB }, undefined).sizeOf(1)).toBe(100 * MIB);
    expect(planParts({ ...options, largeObjectBytes: 100 * MIB }, undefined).sizeOf(2)).toBe(10 * MIB);
  });
});
