import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { DiskPiece } from '@glimpse/nbd';
import { mergedDisk } from './snapshot-merge.js';

async function* each<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

const piece = (offset: number, text: string): DiskPiece => ({
  offset,
  length: text.length,
  data: Buffer.from(text),
});
const zeros = (offset: number, length: number): DiskPiece => ({ offset, length, data: null });

/** What becomes of a parent that comes in such chunks. */
const merge = async (parent: string[], pieces: DiskPiece[], parentSize = parent.join('').length) => {
  const chunks = each(...parent.map((text) => Buffer.from(text)));
  const merged = await buffer(Readable.from(mergedDisk(each(...pieces), chunks, parentSize)));
  return merged.toString().replaceAll('\0', '0');
};

describe('mergedDisk', () => {
  it('takes what changed from the pieces, and all else from the parent', async () => {
    expect(await merge(['abc', 'defgh', 'ij'], [piece(2, 'XYZ'), zeros(7, 2)])).toBe('abXYZfg00j');
    expect(await merge(['abcdefghij'], [])).toBe('abcdefghij');
    expect(await merge(['abcdefghij'], [piece(0, 'ABCDE'), piece(5, 'FGHIJ')])).toBe('ABCDEFGHIJ');
  });

  it('goes on after the end of the parent', async () => {
    expect(await merge(['abcd'], [piece(3, 'XYZ'), zeros(6, 1)])).toBe('abcXYZ0');
    expect(await merge([], [piece(0, 'XYZ')])).toBe('XYZ');
  });

  it('fails where the parent has less or more than it should, also where that is not used', async () => {
    await expect(merge(['abc'], [], 4)).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    await expect(merge(['abc'], [piece(0, 'WXYZ')], 4)).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    await expect(merge(['abcde'], [piece(0, 'WXYZ')], 4)).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
  });

  it('fails as the parent does, after the last byte that was needed of it', async () => {
    async function* damaged() {
      yield Buffer.from('abcd');
      throw new Error('damaged');
    }

    await expect(buffer(Readable.from(mergedDisk(each(piece(0, 'WXYZ')), damaged(), 4)))).rejects.toThrow(
      'damaged',
    );
  });
});
