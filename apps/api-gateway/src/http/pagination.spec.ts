import { describe, expect, it } from '@jest/globals';
import { listLinks, parseLimit, parsePageLimit, parseSortDirection } from './pagination.js';
import { parseQueryString } from './query-string.js';

describe('listLinks', () => {
  it('repeat the request in its order, repeated keys included', () => {
    const pairs = parseQueryString('/v2/images?tag=a&limit=2&marker=m&tag=b+c&name=in:x,y');

    expect(listLinks('/v2/images', pairs, 'last')).toEqual({
      first: '/v2/images?tag=a&limit=2&tag=b+c&name=in%3Ax%2Cy',
      next: '/v2/images?tag=a&limit=2&tag=b+c&name=in%3Ax%2Cy&marker=last',
    });
  });

  it('have no next page without a last id', () => {
    expect(listLinks('/v2/tasks', [], undefined)).toEqual({ first: '/v2/tasks' });
  });
});

describe('parsePageLimit', () => {
  const limits = { pageDefault: 25, pageMax: 1000 };

  it.each([
    [undefined, 25],
    ['0', 0],
    [' +7 ', 7],
    ['1001', 1000],
    ['9'.repeat(400), 1000],
  ])('takes %j for %d', (text, expected) => {
    expect(parsePageLimit(text, limits)).toBe(expected);
  });

  it('never goes beyond the most, whatever the default', () => {
    expect(parsePageLimit(undefined, { pageDefault: 25, pageMax: 10 })).toBe(10);
  });

  it.each(['', 'x', '1.5', '0x10', '1e3'])('refuses %j', (text) => {
    expect(() => parsePageLimit(text, limits)).toThrow('limit param must be an integer');
  });

  it('refuses less than nothing', () => {
    expect(() => parsePageLimit('-1', limits)).toThrow('limit param must be positive');
  });
});

describe('parseLimit', () => {
  it('refuses less than the least', () => {
    expect(() => parseLimit('0', 1)).toThrow('limit param must be positive');
  });
});

describe('parseSortDirection', () => {
  it.each(['', 'ASC', ' asc', 'up'])('refuses %j', (text) => {
    expect(() => parseSortDirection(text)).toThrow(`Invalid sort direction: ${text}`);
  });
});
