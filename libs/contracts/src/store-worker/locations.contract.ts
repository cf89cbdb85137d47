import { z } from 'zod';
import { ProbedLocation } from '../domain/location.js';
import { rpc } from '../rpc.js';

/** What only a process with access to the stores can tell. */
export const storeWorkerLocations = {
  /**
   * Looks whether there is data behind a URL that a client names. Codes: STORE_LOCATION_INVALID where it is of no
   * store, of one whose data clients must not name, or where there is no data; the driver's codes else.
   */
  probe: rpc('store-worker.location.probe', {
    request: z.object({ url: z.string() }),
    response: ProbedLocation,
    timeoutMs: 6_000,
  }),
} as const;
