import type { Config, StoreConfig } from '@glimpse/config';
import { driverTypes } from './drivers/index.js';

/**
 * Finds the store of a URL by what it looks like, as `StoreRegistry.resolve` does: the first in which it can lie, the
 * default store before the others; undefined where there is none. For those who reach no store: nothing is opened, and
 * stores whose options have problems, which keep the services from starting that open them, hold nothing.
 */
export function createStoreFinder({
  stores,
  defaultStore,
}: Pick<Config, 'stores' | 'defaultStore'>): (url: string) => string | undefined {
  const ids = [...new Set([defaultStore, ...Object.keys(stores)])];
  const recognizers = ids.flatMap((id) => {
    const recognizes = recognizerOf(stores[id]);
    return recognizes === undefined ? [] : [{ id, recognizes }];
  });
  return (url) => recognizers.find(({ recognizes }) => recognizes(url))?.id;
}

function recognizerOf(store: StoreConfig | undefined): ((uri: string) => boolean) | undefined {
  if (store === undefined) return undefined;
  const { type, description: _description, weight: _weight, ...options } = store;
  return driverTypes.find(({ name }) => name === type)?.recognizer(options);
}
