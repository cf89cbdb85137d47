import { describe, expect, it } from '@jest/globals';
import { MAX_IDLE_SLOTS } from '../memory/slot-pool.js';
import { KnownMemory } from './known-memory.js';

describe('KnownMemory', () => {
  const [a, b, c] = [1, 2, 3].map((size) => new SharedArrayBuffer(size)) as [
    SharedArrayBuffer,
    SharedArrayBuffer,
    SharedArrayBuffer,
  ];

  it('sends each piece of memory once', () => {
    const known = new KnownMemory();

    expect([known.describe(a), known.describe(b), known.describe(a)]).toEqual([
      { id: 1, buffer: a },
      { id: 2, buffer: b },
      { id: 1 },
    ]);
  });

  it('sends none again of as many as the pool keeps', () => {
    const known = new KnownMemory();
    const kept = Array.from({ length: MAX_IDLE_SLOTS }, () => new SharedArrayBuffer(1));
    for (const buffer of kept) known.describe(buffer);

    expect(kept.map((buffer) => known.describe(buffer))).toEqual(kept.map((_, n) => ({ id: n + 1 })));
  });

  it('has the thread forget what was not used for the longest time', () => {
    const known = new KnownMemory(2);
    for (const buffer of [a, b, a]) known.describe(buffer);

    expect(known.describe(c)).toEqual({ id: 3, buffer: c, forget: 2 });
    expect(known.describe(a)).toEqual({ id: 1 });
    expect(known.describe(b)).toEqual({ id: 4, buffer: b, forget: 3 });
  });
});
