import { describe, expect, it } from '@jest/globals';
import { parseQueryString } from './query-string.js';

describe('parseQueryString', () => {
  it.each([
    ['/p', []],
    ['/p?', []],
    [
      '/p?a=1&a=2&b',
      [
        ['a', '1'],
        ['a', '2'],
        ['b', ''],
      ],
    ],
    ['/p?a=b=c&&', [['a', 'b=c']]],
    ['/p?a+b=%2B+%c3%a9', [['a b', '+ é']]],
    [
      '/p?a=100%&b=%zz',
      [
        ['a', '100%'],
        ['b', '%zz'],
      ],
    ],
    ['/p?a=\u00c3\u00a9', [['a', 'é']]],
  ])('%s', (url, pairs) => {
    expect(parseQueryString(url)).toEqual(pairs);
  });

  it.each(['/p?a=%ff', '/p?%c3=1', '/p?a=\u00ff'])('refuses %s, which is not UTF-8', (url) => {
    expect(() => parseQueryString(url)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
