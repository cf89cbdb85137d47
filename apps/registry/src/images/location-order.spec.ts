import { describe, expect, it } from '@jest/globals';
import { storeOf } from '@glimpse/contracts';
import { bestFirst } from './location-order.js';

describe('The order of locations', () => {
  const at = (url: string, metadata: Record<string, unknown> = {}) => ({ url, metadata });
  const config = {
    stores: { slow: { type: 'file', weight: 0 }, fast: { type: 'file', weight: 10 } },
    defaultStore: 'slow',
  };

  it('puts stores of greater weight first and leaves the others as they were', () => {
    const locations = [
      at('a', { store: 'slow' }),
      at('b', { store: 'gone' }),
      at('c', { store: 'fast' }),
      at('d'),
    ];

    expect(bestFirst(locations, config).map(({ url }) => url)).toEqual(['c', 'a', 'b', 'd']);
  });

  it('counts a location that names no store to the default one', () => {
    const locations = [at('a', { store: 'slow' }), at('b')];

    const order = bestFirst(locations, { ...config, defaultStore: 'fast' });

    expect(order.map(({ url }) => url)).toEqual(['b', 'a']);
  });

  it('knows the name that older rows of Glance have for the store', () => {
    expect(storeOf(at('a', { backend: 'fast' }))).toBe('fast');
    expect(storeOf(at('a', { store: 'slow', backend: 'fast' }))).toBe('slow');
    expect(storeOf(at('a'))).toBeUndefined();
  });
});
