import { LiveEvents } from '@glimpse/bus';
import { type Transfer, isOver, snapshotEvents } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { aboutSnapshot, findSnapshotOf } from './snapshot-requests.repository.js';

/** Imports that go on at once and that nobody has to ask for again. */
const MAX_KNOWN = 4_096;

type About = NonNullable<ReturnType<typeof aboutSnapshot>>;

/** Tells those who listen how far the snapshots have come that transfers are of. */
@Injectable()
export class SnapshotFeed {
  /**
   * By job, as long as it goes on; null for one that is no snapshot's. What is in it never changes. An image may get
   * another job, and this registry not hear of the end of the first.
   */
  private readonly known = new Map<string, About | null>();

  constructor(
    private readonly database: Database,
    private readonly live: LiveEvents,
  ) {}

  /** The transfer is the import of a snapshot. Its ends are told by events that are not lost. */
  async tell(transfer: Transfer): Promise<void> {
    const { id, imageId, phase, bytesDone, bytesTotal, bytesPerSecond, attempt } = transfer;
    if (imageId === null) return;
    if (isOver(transfer)) {
      this.known.delete(id);
      return;
    }
    const about = await this.about(id, imageId);
    if (about === null) return;
    this.live.announce(snapshotEvents.progress, about.image_id, {
      ...about,
      phase,
      bytes_done: bytesDone,
      bytes_total: bytesTotal,
      bytes_per_second: bytesPerSecond ?? null,
      attempt,
    });
  }

  private async about(jobId: string, imageId: string): Promise<About | null> {
    const known = this.known.get(jobId);
    if (known !== undefined) return known;
    const row = await findSnapshotOf(this.database, imageId);
    const about = (row?.status === 'accepted' ? aboutSnapshot(row) : undefined) ?? null;
    for (const oldest of this.known.keys()) {
      if (this.known.size < MAX_KNOWN) break;
      this.known.delete(oldest);
    }
    this.known.set(jobId, about);
    return about;
  }
}
