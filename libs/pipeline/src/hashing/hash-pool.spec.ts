import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SlotPool } from '../memory/slot-pool.js';
import type { Slot } from '../memory/slot.js';
import { HashPool } from './hash-pool.js';

describe('HashPool', () => {
  let pool: HashPool;
  beforeEach(() => {
    pool = new HashPool(1);
  });
  afterEach(() => pool.close());

  const takeSlot = async (text: string): Promise<Slot> => {
    const slot = await new SlotPool().openShare().take();
    slot.take(Buffer.from(text), 0);
    return slot;
  };
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

  it('computes several hashes on one thread, each from its own slots', async () => {
    const hashes = [pool.begin('sha1'), pool.begin('sha1')];

    hashes[0]!.update(await takeSlot('one'));
    hashes[1]!.update(await takeSlot('two'));
    hashes[0]!.update(await takeSlot(' more'));

    expect(await Promise.all(hashes.map((hash) => hash.digest()))).toEqual([sha1('one more'), sha1('two')]);
  });

  it('fails the hashes of a thread that died, and goes on with a new one', async () => {
    const broken = pool.begin('no-such-algorithm');
    await expect(broken.digest()).rejects.toMatchObject({ code: 'INTERNAL' });

    const hash = pool.begin('sha1');
    hash.update(await takeSlot('text'));

    expect(await hash.digest()).toBe(sha1('text'));
  });

  it('gives the slots back when the pool is closed', async () => {
    const share = new SlotPool().openShare();
    const slots = await Promise.all(Array.from({ length: 8 }, () => share.take()));
    const hash = pool.begin('sha1');
    for (const slot of slots) {
      hash.update(slot);
      slot.release();
    }

    await pool.close();

    await expect(hash.digest()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect((await share.take()).length).toBe(0);
  });
});
