import { describe, expect, it } from '@jest/globals';
import { findInCatalogHeader } from './service-catalog-header.js';

const header = JSON.stringify([
  { type: 'compute', endpoints: [{ region: 'west', publicURL: 'http://compute' }] },
  {
    type: 'image',
    name: 'glance',
    endpoints: [
      { region: 'east', publicURL: 'http://east:9292' },
      { region: 'west', publicURL: 'http://west:9292/v2/', internalURL: 'http://10.0.0.1:9292' },
    ],
  },
]);

describe('findInCatalogHeader', () => {
  it('finds the endpoint, without the version that it may name', () => {
    expect(findInCatalogHeader(header, { region: 'west', interface: 'public' })).toBe('http://west:9292');
    expect(findInCatalogHeader(header, { region: 'west', interface: 'internal' })).toBe(
      'http://10.0.0.1:9292',
    );
  });

  it.each([
    ['another region', header, 'north'],
    ['another interface', header, 'east'],
    ['no header', undefined, 'west'],
    ['a header that is no JSON', '[', 'west'],
    ['a header of another kind', '{"a": 1}', 'west'],
  ])('finds none with %s', (_what, text, region) => {
    expect(findInCatalogHeader(text, { region, interface: 'admin' })).toBeUndefined();
  });
});
