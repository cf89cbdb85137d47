import { LiveEvents } from '@glimpse/bus';
import { type Transfer, isOver, snapshotEvents } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { aboutSnapshot, findSnapshotOf } from './snapshot-requests.repository.js';

/** Images that are being imported at once and that nobody has to ask for again. */
const MAX_KNOWN = 4_096;

type About = NonNullable<ReturnType<typeof aboutSnapshot>>;

/** Tells those who listen how far the snapshots have come that transfers are of. */
@Injectable()
export class SnapshotFeed {
  /** By image, as long as its transfer goes on; null for one that is no snapshot's. What is in it never changes. */
  private readonly known = new Map<string, About | null>();

  constructor(
    private readonly database: Database,
    private readonly live: LiveEvents,
  ) {}

  /** The transfer is the import of a snapshot. Its ends are told by events that are not lost. */
  async tell(transfer: Transfer): Promise<void> {
    const { imageId, phase, bytesDone, bytesTotal, bytesPerSecond, attempt } = transfer;
    if (imageId === null) return;
    if (isOver(transfer)) {
      this.known.delete(imageId);
      return;
    }
    const about = await this.about(imageId);
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

  private async about(imageId: string): Promise<About | null> {
    const known = this.known.get(imageId);
    if (known !== undefined) return known;
    const row = await findSnapshotOf(this.database, imageId);
    const about = (row?.status === 'accepted' ? aboutSnapshot(row) : undefined) ?? null;
    for (const oldest of this.known.keys()) {
      if (this.known.size < MAX_KNOWN) break;
      this.known.delete(oldest);
    }
    this.known.set(imageId, about);
    return about;
  }
}
