import { describe, expect, it } from '@jest/globals';
import { seenBefore } from './last-event-id.js';

const NOW = 1_800_000_000_000;

describe('seenBefore', () => {
  it.each<[string, string | undefined, object]>([
    ['who comes new', undefined, { endedSince: NOW - 60_000, isResumed: false, sawEnd: false }],
    ['who was there', String(NOW - 90_000), { endedSince: NOW - 95_000, isResumed: true, sawEnd: false }],
    ['who was there long ago', '17', { endedSince: NOW - 3_600_000, isResumed: true, sawEnd: false }],
    ['a clock that is ahead', String(NOW + 60_000), { endedSince: NOW, isResumed: true, sawEnd: false }],
    ['who saw the end', 'end', { endedSince: NOW - 60_000, isResumed: false, sawEnd: true }],
    ['what is no id of ours', '1e9', { endedSince: NOW - 60_000, isResumed: false, sawEnd: false }],
    ['what is empty', '', { endedSince: NOW - 60_000, isResumed: false, sawEnd: false }],
  ])('knows %s', (_who, header, seen) => {
    expect(seenBefore(header, NOW)).toEqual(seen);
  });
});
