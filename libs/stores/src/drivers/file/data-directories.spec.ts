import { describe, expect, it } from '@jest/globals';
import { chooseDirectory, liesWithin } from './data-directories.js';

describe('chooseDirectory', () => {
  const directory = (path: string, priority: number, freeBytes: number) => ({ path, priority, freeBytes });

  it('goes by priority first, then by free space', () => {
    const directories = [directory('/a', 1, 900), directory('/b', 2, 100), directory('/c', 2, 200)];

    expect(chooseDirectory(directories, 50)?.path).toBe('/c');
  });

  it('takes a lower priority where the higher has no room', () => {
    const directories = [directory('/a', 1, 900), directory('/b', 2, 100)];

    expect(chooseDirectory(directories, 101)?.path).toBe('/a');
    expect(chooseDirectory(directories, 901)).toBeUndefined();
  });
});

describe('liesWithin', () => {
  it.each([
    ['/data/x', true],
    ['/data/x/y', true],
    ['/data/..x', true],
    ['/data', false],
    ['/data/../x', false],
    ['/datax/y', false],
    ['/', false],
  ])('%s: %s', (path, expected) => {
    expect(liesWithin('/data', path)).toBe(expected);
  });
});
