import { RECONCILE_BATCH, type SetAsideAction, isServiceError } from '@glimpse/contracts';
import type { SetAsideEntry, StoreInventory } from '@glimpse/stores';
import { inBatches } from './in-batches.js';
import type { RegistryCalls } from './registry-calls.js';
import type { Tally } from './tally.js';

/** What the registry is told of something that is set aside. */
export const toSetAsideData = ({ id, origin, name, key, partialOf, size }: SetAsideEntry) => ({
  id,
  origin: origin.uri,
  name,
  key,
  partialOf,
  size,
});

/** Goes through what is set aside, and does with it what the registry says. */
export class QuarantineReview {
  constructor(
    private readonly inventory: StoreInventory,
    private readonly registry: RegistryCalls,
    private readonly tally: Tally,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const { signal } = this;
    for await (const entries of inBatches(this.inventory.listSetAside({ signal }), RECONCILE_BATCH)) {
      const { actions } = await this.registry.review({ entries: entries.map(toSetAsideData) });
      for (const [index, entry] of entries.entries()) await this.act(entry, actions[index] ?? 'keep');
    }
  }

  async act(entry: SetAsideEntry, action: SetAsideAction): Promise<void> {
    if (action === 'put-back') await this.putBack(entry);
    else if (action === 'discard') await this.discard(entry);
  }

  private async putBack(entry: SetAsideEntry): Promise<void> {
    const outcome = await this.tryToPutBack(entry);
    if (outcome === 'put-back') this.tally.didPutBack();
    const { next } = await this.registry.conclude({ id: entry.id, outcome });
    if (outcome === 'occupied' && next === 'discard') await this.discard(entry);
  }

  private async tryToPutBack(entry: SetAsideEntry): Promise<'put-back' | 'occupied' | 'gone'> {
    try {
      await this.inventory.putBack(entry, { signal: this.signal });
      return 'put-back';
    } catch (error) {
      if (isServiceError(error, 'STORE_OBJECT_DUPLICATE')) return 'occupied';
      if (isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) return 'gone';
      throw error;
    }
  }

  private async discard(entry: SetAsideEntry): Promise<void> {
    await this.inventory.discard(entry, { signal: this.signal });
    this.tally.didDiscard(entry.size);
    await this.registry.conclude({ id: entry.id, outcome: 'discarded' });
  }
}
