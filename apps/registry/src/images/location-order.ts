import type { Config } from '@glimpse/config';
import { type ImageLocation, storeOf } from '@glimpse/contracts';

/** The locations with those in stores of greater weight first, otherwise as they were. */
export function bestFirst<L extends ImageLocation>(
  locations: readonly L[],
  config: Pick<Config, 'stores' | 'defaultStore'>,
): L[] {
  const weightOf = (location: ImageLocation) =>
    config.stores[storeOf(location) ?? config.defaultStore]?.weight ?? 0;
  return locations.toSorted((one, other) => weightOf(other) - weightOf(one));
}
