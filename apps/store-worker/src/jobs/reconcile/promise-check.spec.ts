import { type PromisedData, type RequestOf, ServiceError, type registryReconcile } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import type { StoreDriver } from '@glimpse/stores';
import { describe, expect, it } from '@jest/globals';
import { PromiseCheck } from './promise-check.js';
import type { RegistryCalls } from './registry-calls.js';
import { Tally } from './tally.js';

type Broken = RequestOf<(typeof registryReconcile)['report']>['broken'];

const promiseOf = (index: number): PromisedData => ({
  source: 'location',
  rowId: String(index),
  imageId: `image-${index}`,
  location: { url: `file:///${index}`, metadata: {} },
  size: 5,
});

/** Checks pages of so many promises, in a store that has what `sizeOf` says. */
async function check(pages: readonly number[], sizeOf: (index: number) => number | null, seemsEmpty = true) {
  const reported: Broken[number][] = [];
  let next = 0;
  const registry = {
    promises: ({ cursor }: { cursor: string | null }) => {
      const page = Number(cursor ?? 0);
      const promises = Array.from({ length: pages[page] ?? 0 }, () => promiseOf(next++));
      return Promise.resolve({ promises, next: page + 1 < pages.length ? String(page + 1) : null });
    },
    report: ({ broken }: { broken: Broken }) => {
      reported.push(...broken);
      return Promise.resolve({});
    },
  };
  const driver = {
    parseLocation: (uri: string) => ({ uri }),
    size: ({ uri }: { uri: string }) => {
      const size = sizeOf(Number(uri.slice('file:///'.length)));
      if (size !== null) return Promise.resolve(size);
      return Promise.reject(new ServiceError('STORE_OBJECT_NOT_FOUND', 'It is not there'));
    },
  };
  await new PromiseCheck(
    driver as unknown as StoreDriver,
    'fast',
    registry as unknown as RegistryCalls,
    new Tally(),
    createLogger('test', { level: 'silent' }),
    new AbortController().signal,
    seemsEmpty,
  ).run();
  return reported.map(({ promise, found }) => [promise.rowId, found]);
}

describe('PromiseCheck', () => {
  it('tells what is missing, or has another size, where the store has anything', async () => {
    const sizeOf = (index: number) => (index === 50 ? 5 : index === 51 ? 4 : null);

    const reported = await check([20, 100], sizeOf, false);

    expect(reported).toHaveLength(119);
    expect(reported).toContainEqual(['0', null]);
    expect(reported).toContainEqual(['51', 4]);
    expect(await check([5, 100], (index) => (index < 5 ? null : 5))).toHaveLength(5);
  });

  it('tells what is missing of a small store that has nothing', async () => {
    expect(await check([2, 1], () => null)).toEqual([
      ['0', null],
      ['1', null],
      ['2', null],
    ]);
  });

  it('takes an empty store for one whose disk is not mounted', async () => {
    await expect(check([6, 6, 200], () => null)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('mounted'),
    });
  });
});
