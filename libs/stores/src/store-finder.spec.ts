import { describe, expect, it } from '@jest/globals';
import { createStoreFinder } from './store-finder.js';

const slow = { type: 'file', datadir: '/srv/images', weight: 0 };
const fast = { type: 'file', datadirs: ['/srv/ssd:1', '/srv/images/fast'], weight: 0 };
const web = { type: 'http', weight: 0 };

describe('createStoreFinder', () => {
  it.each([
    ['file:///srv/images/x', 'slow'],
    ['filesystem:///srv/ssd/x', 'fast'],
    ['HTTPS://user:secret@example.org/x', 'web'],
    ['file:///srv/images2/x', undefined],
    ['file:///srv/images/../../etc/passwd', undefined],
    ['file:///srv/images', undefined],
    ['https:///x', undefined],
    ['rbd://fsid/pool/image/snap', undefined],
    ['', undefined],
  ])('finds the store of %j: %s', (url, expected) => {
    const find = createStoreFinder({ stores: { slow, fast, web }, defaultStore: 'web' });

    expect(find(url)).toBe(expected);
  });

  it('takes the default store where several could hold it, else the first', () => {
    const stores = { slow, fast, copy: { ...slow } };
    const url = 'file:///srv/images/fast/x';

    expect(createStoreFinder({ stores, defaultStore: 'fast' })(url)).toBe('fast');
    expect(createStoreFinder({ stores, defaultStore: 'copy' })(url)).toBe('copy');
    expect(createStoreFinder({ stores: { web, slow, fast }, defaultStore: 'web' })(url)).toBe('slow');
  });

  it('passes over stores that nobody can open', () => {
    const stores = { tape: { type: 'tape', weight: 0 }, bad: { type: 'file', weight: 0 }, slow };

    expect(createStoreFinder({ stores, defaultStore: 'bad' })('file:///srv/images/x')).toBe('slow');
  });
});
