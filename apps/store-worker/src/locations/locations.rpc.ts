import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, ServiceError, storeWorkerLocations } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { Controller } from '@nestjs/common';
import { probeLocation } from './probe-location.js';

type Calls = typeof storeWorkerLocations;

/** Less than the caller waits, so that it learns the reason. */
const PROBE_MS = 5_000;

@Controller()
export class LocationsRpc {
  constructor(private readonly stores: StoreRegistry) {}

  @HandleRpc(storeWorkerLocations.probe)
  async probe({ url }: RequestOf<Calls['probe']>): Promise<ResponseOf<Calls['probe']>> {
    const timer = new AbortController();
    const timeout = setTimeout(
      () => timer.abort(new ServiceError('STORE_UNAVAILABLE', 'The store does not answer in time')),
      PROBE_MS,
    );
    try {
      return await probeLocation(this.stores, url, timer.signal);
    } finally {
      clearTimeout(timeout);
    }
  }
}
