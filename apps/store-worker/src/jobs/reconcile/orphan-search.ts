import { type FoundData, type ProgressReporter, RECONCILE_BATCH } from '@glimpse/contracts';
import type { StoreInventory, StoredEntry } from '@glimpse/stores';
import { inBatches } from './in-batches.js';
import { type QuarantineReview, toSetAsideData } from './quarantine-review.js';
import type { RegistryCalls } from './registry-calls.js';
import type { Tally } from './tally.js';

const toFoundData = (entry: StoredEntry): FoundData => ({
  url: entry.location.uri,
  name: entry.name,
  key: entry.key,
  partialOf: entry.partialOf,
  size: entry.size,
  modifiedAt: entry.modifiedAt,
  version: entry.version,
});

/** Goes through what lies in a store, and sets aside what the registry says is nobody's. */
export class OrphanSearch {
  constructor(
    private readonly inventory: StoreInventory,
    private readonly registry: RegistryCalls,
    private readonly review: QuarantineReview,
    private readonly tally: Tally,
    private readonly signal: AbortSignal,
  ) {}

  async run(progress: ProgressReporter): Promise<void> {
    progress.phase('reading');
    let bytes = 0;
    const { signal } = this;
    // Before the database is asked: what is written later is not in the list, and what is removed later is gone.
    for await (const entries of inBatches(this.inventory.list({ signal }), RECONCILE_BATCH)) {
      for (const { size } of entries) {
        this.tally.sawObject(size);
        bytes += size;
      }
      progress.bytes(bytes);
      await this.examine(entries);
    }
  }

  private async examine(entries: readonly StoredEntry[]): Promise<void> {
    const { setAside, foreign } = await this.registry.examine({ entries: entries.map(toFoundData) });
    for (const index of foreign) {
      const entry = entries[index];
      if (entry !== undefined) this.tally.sawForeign(entry.name, entry.size);
    }
    for (const { index, id } of setAside) {
      const entry = entries[index];
      if (entry !== undefined) await this.setAside(entry, id);
    }
  }

  private async setAside(found: StoredEntry, id: string): Promise<void> {
    const { signal } = this;
    const moved = await this.inventory.setAside(found, id, { signal });
    const entry = moved.outcome === 'set-aside' ? moved.entry : null;
    const { putBack } = await this.registry.settle({
      id,
      outcome: moved.outcome,
      entry: entry === null ? null : toSetAsideData(entry),
    });
    if (entry !== null && putBack) await this.review.act(entry, 'put-back');
    else if (entry !== null || moved.outcome === 'removed') this.tally.didSetAside(found.size);
  }
}
