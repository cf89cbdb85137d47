import { LiveEvents } from '@glimpse/bus';
import { type Transfer, isOver, snapshotEvents } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { aboutSnapshot, findSnapshotOf } from './snapshot-requests.repository.js';

/** Tells those who listen how far the snapshots have come that transfers are of. */
@Injectable()
export class SnapshotFeed {
  constructor(
    private readonly database: Database,
    private readonly live: LiveEvents,
  ) {}

  /** The transfer is the import of a snapshot. Its ends are told by events that are not lost. */
  async tell(transfer: Transfer): Promise<void> {
    const { imageId, phase, bytesDone, bytesTotal, bytesPerSecond, attempt } = transfer;
    const row =
      imageId === null || isOver(transfer) ? undefined : await findSnapshotOf(this.database, imageId);
    const about = row?.status === 'accepted' ? aboutSnapshot(row) : undefined;
    if (about === undefined) return;
    this.live.announce(snapshotEvents.progress, about.image_id, {
      ...about,
      phase,
      bytes_done: bytesDone,
      bytes_total: bytesTotal,
      bytes_per_second: bytesPerSecond ?? null,
      attempt,
    });
  }
}
