import { describe, expect, it } from '@jest/globals';
import { dataRuns } from './zero-runs.js';

describe('dataRuns', () => {
  it('finds nothing in zeros', () => {
    expect(dataRuns(Buffer.alloc(200_000), 0)).toEqual([]);
    expect(dataRuns(Buffer.alloc(0), 0)).toEqual([]);
  });

  it('joins neighbouring blocks and leaves out those of zeros', () => {
    const chunk = Buffer.alloc(5 * 65_536);
    chunk[70_000] = 1;
    chunk[140_000] = 1;
    chunk[300_000] = 1;

    expect(dataRuns(chunk, 0)).toEqual([
      { start: 65_536, end: 3 * 65_536 },
      { start: 4 * 65_536, end: 5 * 65_536 },
    ]);
  });

  it('counts the blocks from the beginning of the file', () => {
    const chunk = Buffer.alloc(100_000);
    chunk[0] = 1;

    expect(dataRuns(chunk, 65_000)).toEqual([{ start: 0, end: 536 }]);
  });
});
