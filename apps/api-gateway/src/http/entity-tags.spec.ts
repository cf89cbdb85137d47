import { describe, expect, it } from '@jest/globals';
import { heedsRange, judgePreconditions, valuesToMatch } from './entity-tags.js';

const etag = '"sha512-ab"';

describe('judgePreconditions', () => {
  it.each([
    [{}, 'proceed'],
    [{ 'if-none-match': etag }, 'unchanged'],
    [{ 'if-none-match': `W/${etag}` }, 'unchanged'],
    [{ 'if-none-match': `"x,y" , ${etag}` }, 'unchanged'],
    [{ 'if-none-match': '*' }, 'unchanged'],
    [{ 'if-none-match': '"other"' }, 'proceed'],
    [{ 'if-none-match': 'sha512-ab' }, 'proceed'],
    [{ 'if-match': etag }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': `"other", ${etag}` }, 'proceed'],
    [{ 'if-match': `W/${etag}` }, 'failed'],
    [{ 'if-match': '"other"' }, 'failed'],
    [{ 'if-match': '' }, 'failed'],
    [{ 'if-match': '"other"', 'if-none-match': etag }, 'failed'],
    [{ 'if-match': etag, 'if-none-match': etag }, 'unchanged'],
  ] as const)('%j: %s', (headers, expected) => {
    expect(judgePreconditions(headers, { etag })).toBe(expected);
  });

  it('knows something without a validator by * alone', () => {
    expect(judgePreconditions({ 'if-match': '*' }, { etag: undefined })).toBe('proceed');
    expect(judgePreconditions({ 'if-match': etag }, { etag: undefined })).toBe('failed');
    expect(judgePreconditions({ 'if-none-match': '*' }, { etag: undefined })).toBe('unchanged');
  });

  it('matches nothing where nothing is', () => {
    expect(judgePreconditions({ 'if-match': '*' }, null)).toBe('failed');
    expect(judgePreconditions({ 'if-none-match': '*' }, null)).toBe('proceed');
  });
});

describe('heedsRange', () => {
  it.each([
    [undefined, etag, true],
    [undefined, undefined, true],
    [etag, etag, true],
    [` ${etag} `, etag, true],
    [`W/${etag}`, etag, false],
    ['"other"', etag, false],
    [etag, undefined, false],
    ['Wed, 21 Oct 2015 07:28:00 GMT', etag, false],
    [`${etag}, ${etag}`, etag, false],
  ])('If-Range %s of %s: %s', (header, current, expected) => {
    expect(heedsRange(header, current)).toBe(expected);
  });
});

describe('valuesToMatch', () => {
  it.each<[string | undefined, string[] | undefined]>([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"a"', ['a']],
    ['"a", "b,c"', ['a', 'b,c']],
    ['W/"a", "b"', ['b']],
    ['W/"a"', []],
    ['a', []],
    ['', []],
  ])('reads %j', (header, values) => {
    expect(valuesToMatch(header)).toEqual(values);
  });
});
