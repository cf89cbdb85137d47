import type { RpcClient } from '@glimpse/bus';
import type { JobPayload, JobResult } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { StoreRegistry } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../../runner/job-handler.js';
import { OrphanSearch } from './orphan-search.js';
import { PromiseCheck } from './promise-check.js';
import { QuarantineReview } from './quarantine-review.js';
import { RegistryCalls } from './registry-calls.js';
import { Tally } from './tally.js';

/**
 * Compares a store with the database: tells the registry what is there, and does what it decides (docs/adr/0015).
 * Repeatable: what another attempt left half moved is seen to first.
 */
export class ReconcileJob implements JobHandler<'reconcile'> {
  readonly kind = 'reconcile';

  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly stores: StoreRegistry,
    private readonly logger: Logger,
  ) {}

  async run(
    { storeId, scope }: JobPayload<'reconcile'>,
    { signal, progress, lease }: JobContext,
  ): Promise<JobResult<'reconcile'>> {
    const driver = this.stores.get(storeId);
    const { inventory } = driver;
    const registry = new RegistryCalls(this.rpc, lease);
    const tally = new Tally();
    if (inventory !== undefined) {
      const review = new QuarantineReview(inventory, registry, tally, signal);
      await review.run();
      if (scope === 'store') await new OrphanSearch(inventory, registry, review, tally, signal).run(progress);
    }
    if (scope === 'store') {
      progress.phase('verifying');
      const seemsEmpty = inventory !== undefined && tally.isEmpty;
      await new PromiseCheck(driver, storeId, registry, tally, this.logger, signal, seemsEmpty).run();
    }
    return tally.result(scope === 'store' && inventory !== undefined);
  }
}
