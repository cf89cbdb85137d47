import { describe, expect, it } from '@jest/globals';
import { freeChunk } from './free-chunk.js';

describe('freeChunk', () => {
  it('frees memory that is all one chunk', () => {
    const chunk = Buffer.allocUnsafeSlow(1000);

    freeChunk(chunk);

    expect(chunk).toHaveLength(0);
  });

  it('leaves memory alone that others share', () => {
    const whole = Buffer.allocUnsafeSlow(1000);
    const shared = Buffer.from(new SharedArrayBuffer(10));

    freeChunk(whole.subarray(1));
    freeChunk(shared);
    freeChunk(Buffer.from('pooled'));

    expect([whole.length, shared.length]).toEqual([1000, 10]);
  });
});
