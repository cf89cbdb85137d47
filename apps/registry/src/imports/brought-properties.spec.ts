import { describe, expect, it } from '@jest/globals';
import { broughtProperties } from './brought-properties.js';

describe('broughtProperties', () => {
  it('are set, and take the place of those that are there', () => {
    expect(broughtProperties({ hw_a: '1', hw_b: '2' }, { hw_a: '0', other: 'x' })).toEqual({
      hw_a: '1',
      hw_b: '2',
    });
  });

  it.each([
    ['attributes of images', { os_hash_value: '00' }],
    ['what is reserved', { os_glance_failed_import: 'x', location: 'x' }],
    ['names that are too long', { ['h'.repeat(256)]: '1' }],
    ['names that cannot be stored', { 'hw_😀': '1' }],
    ['values that cannot be stored', { hw_a: '😀' }],
    ['values that are too long', { hw_a: 'ä'.repeat(40_000) }],
    ['names that the database takes for one that is there', { HW_Model: '1', 'hw_model ': '1' }],
  ])('leave out %s', (_what, more) => {
    expect(broughtProperties({ ...more, hw_good: 'yes' }, { hw_model: '0' })).toEqual({ hw_good: 'yes' });
  });
});
