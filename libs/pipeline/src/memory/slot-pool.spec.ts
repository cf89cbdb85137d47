import { describe, expect, it } from '@jest/globals';
import { SlotPool, type SlotShare } from './slot-pool.js';
import { SLOT_BYTES, type Slot } from './slot.js';

/** Takes as many slots as come without waiting, and one more that comes later. */
async function takeAll(share: SlotShare): Promise<Slot[]> {
  const slots: Slot[] = [];
  const takeOne = async () => {
    slots.push(await share.take());
  };
  for (let before = -1; slots.length > before;) {
    before = slots.length;
    void takeOne();
    await Promise.resolve();
    await Promise.resolve();
  }
  return slots;
}

describe('SlotPool', () => {
  it('gives one transfer eight slots, and the ninth when one is back', async () => {
    const share = new SlotPool().openShare();
    const slots = await takeAll(share);
    expect(slots).toHaveLength(8);

    slots[0]!.release();
    await Promise.resolve();

    expect(slots).toHaveLength(9);
    expect(slots[8]).toBe(slots[0]);
  });

  it('guarantees two to each however many others there are', async () => {
    const pool = new SlotPool();
    const counts: number[] = [];
    for (let n = 0; n < 20; n++) counts.push((await takeAll(pool.openShare())).length);

    expect(counts.slice(0, 8)).toEqual(Array(8).fill(8));
    expect(counts.slice(8)).toEqual(Array(12).fill(2));
  });

  it('makes no new slots where as many were in use before', async () => {
    const pool = new SlotPool();
    const takeEightTimesEight = () => {
      const shares = Array.from({ length: 8 }, () => pool.openShare());
      return Promise.all(shares.flatMap((share) => Array.from({ length: 8 }, () => share.take())));
    };
    const before = await takeEightTimesEight();
    for (const slot of before) slot.release();

    const after = await takeEightTimesEight();

    expect(new Set([...before, ...after]).size).toBe(64);
  });

  it('keeps a slot from others until its last user has released it', async () => {
    const share = new SlotPool().openShare();
    const slots = await takeAll(share);
    const [slot] = slots;
    slot!.retain();

    slot!.release();
    await Promise.resolve();
    expect(slots).toHaveLength(8);
    slot!.release();
    await Promise.resolve();

    expect(slots).toHaveLength(9);
  });

  it('takes what fits of a chunk', async () => {
    const slot = await new SlotPool().openShare().take();
    const chunk = Buffer.alloc(SLOT_BYTES, 'xyz');

    expect(slot.take(chunk, SLOT_BYTES - 10)).toBe(10);
    expect(slot.bytes.equals(chunk.subarray(-10))).toBe(true);
    expect(slot.take(chunk, 0)).toBe(SLOT_BYTES - 10);
    expect(slot.isFull).toBe(true);
    expect(slot.bytes.subarray(10).equals(chunk.subarray(0, -10))).toBe(true);
  });
});
