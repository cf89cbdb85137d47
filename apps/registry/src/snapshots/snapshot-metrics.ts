import { counter, gauge, metricNames } from '@glimpse/observability';

/**
 * What became of requests: `accepted`, `repeated`, `conflict` and `rejected` when they come; `completed`, `failed` and
 * `cancelled` at the end of those that were accepted.
 */
export const snapshotsEnded = counter({
  name: metricNames.snapshots,
  help: 'Requests for snapshots that the registry got, by what became of them.',
  labelNames: ['outcome'],
});

export const snapshotsInProgress = gauge({
  name: metricNames.snapshotsInProgress,
  help: 'Snapshots that were accepted and have not ended.',
});
