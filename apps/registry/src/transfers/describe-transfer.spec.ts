import type { Transfer } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { describeTransfer } from './describe-transfer.js';

const MEBIBYTE = 1_048_576;
const aTransfer = (more: Partial<Transfer>): Transfer => ({
  id: 't',
  kind: 'import',
  imageId: 'i',
  owner: 'p1',
  taskId: null,
  attempt: 1,
  lastError: null,
  startedAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T03:04:06.000Z',
  phase: 'downloading',
  bytesDone: 0,
  bytesTotal: null,
  bytesPerSecond: null,
  ...more,
});

describe('describeTransfer', () => {
  it.each<[string, Partial<Transfer>]>([
    ['Downloading', {}],
    ['Downloading: 0.0 of 2.0 MiB (0 %)', { bytesTotal: 2 * MEBIBYTE }],
    ['Downloading: 12.5 MiB', { bytesDone: 12.5 * MEBIBYTE }],
    [
      'Downloading: 12.5 of 100.0 MiB (12 %), 3.5 MiB/s, 25 s left',
      { bytesDone: 12.5 * MEBIBYTE, bytesTotal: 100 * MEBIBYTE, bytesPerSecond: 3.5 * MEBIBYTE },
    ],
    [
      'Downloading: 0.0 of 60.0 MiB (0 %), 0.5 MiB/s, 2 min left',
      { bytesTotal: 60 * MEBIBYTE, bytesPerSecond: MEBIBYTE / 2 },
    ],
    [
      'Downloading: 1.0 of 1.0 MiB (100 %), 0.0 MiB/s',
      { bytesDone: MEBIBYTE, bytesTotal: MEBIBYTE, bytesPerSecond: 0 },
    ],
    ['Waiting', { phase: 'waiting', attempt: 0 }],
    [
      'Waiting for attempt 2, after: The store does not answer',
      { phase: 'waiting', lastError: 'The store does not answer' },
    ],
  ])('says "%s"', (text, transfer) => {
    expect(describeTransfer(aTransfer(transfer))).toBe(text);
  });
});
