import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { isAbandonedPlace, newPlaceName } from './place-names.js';

describe('the name of a place for a test', () => {
  const ofProcess = (pid: number | undefined) => newPlaceName().replace(`_${process.pid}_`, `_${pid}_`);

  it('is another one each time, and fits where names are short', () => {
    expect(newPlaceName()).not.toBe(newPlaceName());
    expect(newPlaceName().length).toBeLessThanOrEqual(64);
    expect(newPlaceName()).toMatch(/^glimpse_test_\w+$/);
  });

  it('is abandoned when its process has ended', () => {
    const { pid } = spawnSync('true');

    expect(isAbandonedPlace(ofProcess(pid))).toBe(true);
  });

  it('is not abandoned while its process runs, nor where others may know of its process', () => {
    const { pid } = spawnSync('true');

    expect(isAbandonedPlace(newPlaceName())).toBe(false);
    expect(isAbandonedPlace(ofProcess(1))).toBe(false);
    expect(isAbandonedPlace(ofProcess(pid).replace(/test_\w{8}/, 'test_otherone'))).toBe(false);
    expect(isAbandonedPlace('glimpse')).toBe(false);
    expect(isAbandonedPlace('glimpse_test_0123456789abcdef')).toBe(false);
  });
});
