import { SnapshotCancellation } from './snapshot-cancellation.js';
import { SnapshotEnds } from './snapshot-ends.js';
import { SnapshotFeed } from './snapshot-feed.js';
import { SnapshotSources } from './snapshot-source.js';
import { SnapshotUpkeep } from './snapshot-upkeep.js';
import { SnapshotsService } from './snapshots.service.js';

/** Snapshots that compute asks for. */
export const snapshotProviders = [
  SnapshotsService,
  SnapshotCancellation,
  SnapshotSources,
  SnapshotEnds,
  SnapshotFeed,
  SnapshotUpkeep,
];
