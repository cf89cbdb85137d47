import { describe, expect, it } from '@jest/globals';
import { requestedRange, resolveRange } from './range.js';

const rangeOf = (header: string, size: number) => resolveRange(requestedRange({ range: header })!, size);
const legacy = (header: string) => resolveRange(requestedRange({ 'content-range': header })!, 10);

describe('ranges', () => {
  it('are absent without a header', () => {
    expect(requestedRange({})).toBeUndefined();
  });

  it.each([
    ['bytes=0-0', 10, 0, 0],
    ['bytes=2-4', 10, 2, 4],
    ['bytes=2-', 10, 2, 9],
    ['bytes=2-99', 10, 2, 9],
    ['bytes=-3', 10, 7, 9],
    ['bytes=-99', 10, 0, 9],
    ['bytes=-0', 10, 0, 9],
    ['BYTES = 1 - 2 ', 10, 1, 2],
    ['bytes=-5', 0, 0, -1],
  ])('%s of %i bytes is %i to %i', (header, size, start, end) => {
    expect(rangeOf(header, size)).toEqual({ start, end, contentRange: `bytes ${start}-${end}/${size}` });
  });

  it.each([
    'bytes=10-',
    'bytes=99-100',
    'bytes=5-4',
    'bytes=-',
    'bytes=--5',
    'bytes=',
    '',
    'items=0-1',
    'bytes=a-b',
    'bytes 0-1',
  ])('refuses "%s" of 10 bytes with 416', (header) => {
    expect(() => rangeOf(header, 10)).toThrow(expect.objectContaining({ status: 416 }));
  });

  it('has no start in an empty image', () => {
    expect(() => rangeOf('bytes=0-', 0)).toThrow(expect.objectContaining({ status: 416 }));
  });

  it.each(['bytes=0-1,3-4', 'bytes=0-1,'])('refuses several of them: %s', (header) => {
    expect(() => rangeOf(header, 10)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    ['bytes 0-4/10', 0, 4],
    ['bytes 2-99/*', 2, 9],
    ['bytes 2-4/5000', 2, 4],
  ])('takes the legacy header %s', (header, start, end) => {
    expect(legacy(header)).toMatchObject({ start, end });
  });

  it.each(['bytes */10', 'bytes 4-2/10', 'bytes 0-4/4', 'bytes=0-4', 'bytes 10-11/20'])(
    'refuses the legacy header %s',
    (header) => {
      expect(() => legacy(header)).toThrow(expect.objectContaining({ status: 416 }));
    },
  );

  it('prefers Range', () => {
    expect(requestedRange({ range: 'bytes=1-2', 'content-range': 'nonsense' })).toMatchObject({ start: 1 });
  });
});
