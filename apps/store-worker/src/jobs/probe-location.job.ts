import type { JobPayload, JobResult } from '@glimpse/contracts';
import type { StoreRegistry } from '@glimpse/stores';
import { probeLocation } from '../locations/probe-location.js';
import type { JobContext, JobHandler } from '../runner/job-handler.js';

/** Looks what is behind a URL that is to become an image's location. Repeatable: it changes nothing. */
export class ProbeLocationJob implements JobHandler<'probe-location'> {
  readonly kind = 'probe-location';

  constructor(private readonly stores: StoreRegistry) {}

  run(
    { url }: JobPayload<'probe-location'>,
    { signal, progress }: JobContext,
  ): Promise<JobResult<'probe-location'>> {
    progress.phase('reading');
    return probeLocation(this.stores, url, signal);
  }
}
