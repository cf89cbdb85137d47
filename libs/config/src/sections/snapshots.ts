import { z } from 'zod';
import { wholeNumber } from '../option-types.js';
import { snapshotRequests } from './snapshot-requests.js';
import { snapshotSources } from './snapshot-sources.js';

/** Snapshots that compute asks for over the queue. */
export const snapshots = z
  .strictObject({
    retentionHours: wholeNumber(1)
      .default(168)
      .describe(
        'How long a request that has ended is remembered, in hours: for that long the same one again makes no second image.',
      ),
    ...snapshotRequests,
    ...snapshotSources,
  })
  .prefault({});
