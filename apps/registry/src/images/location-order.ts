import type { Config } from '@glimpse/config';
import type { ImageLocation } from '@glimpse/contracts';

/** The store that a location names; older rows of Glance's say `backend`. */
export function storeOf(location: ImageLocation): string | undefined {
  const { store, backend } = location.metadata;
  return typeof store === 'string' ? store : typeof backend === 'string' ? backend : undefined;
}

/** The locations with those in stores of greater weight first, otherwise as they were. */
export function bestFirst(
  locations: readonly ImageLocation[],
  config: Pick<Config, 'stores' | 'defaultStore'>,
): ImageLocation[] {
  const weightOf = (location: ImageLocation) =>
    config.stores[storeOf(location) ?? config.defaultStore]?.weight ?? 0;
  return locations.toSorted((one, other) => weightOf(other) - weightOf(one));
}
