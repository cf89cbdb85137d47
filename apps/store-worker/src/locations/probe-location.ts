import { type ProbedLocation, ServiceError } from '@glimpse/contracts';
import type { StoreRegistry } from '@glimpse/stores';

/** Schemes that clients must not name: they reach into the disks and the configuration of the services. */
const REFUSED_SCHEME = /^(?:file|filesystem|swift\+config):/i;

const invalid = (reason: string) => new ServiceError('STORE_LOCATION_INVALID', `Invalid location: ${reason}`);

/**
 * Looks whether there is data behind a URL that a client names, and in which store. Throws STORE_LOCATION_INVALID where
 * there is none or clients must not name it; the driver's code where the store can't tell. Messages name no URL.
 */
export async function probeLocation(
  stores: StoreRegistry,
  url: string,
  signal: AbortSignal,
): Promise<ProbedLocation> {
  if (REFUSED_SCHEME.test(url)) throw invalid('clients must not name data of this kind');
  const { storeId, driver, location } = stores.resolve({ url, metadata: {} });
  const size = await driver.size(location, { signal });
  if (size === 0) throw invalid('there is no data, or nobody says how much');
  return { storeId, size };
}
