import { STAGING_STORE } from '@glimpse/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatabasePlace } from '../registry-harness.conformance.js';
import { DAY, HOUR, ReconcileWorld } from './reconcile-world.conformance.js';

/** When stores are compared with the database, and by whom. */
export function describeReconcileSchedule(makePlace: () => Promise<DatabasePlace>): void {
  let world: ReconcileWorld;
  beforeEach(async () => {
    world = await ReconcileWorld.open(makePlace);
  });
  afterEach(() => world.close());

  describe('the schedule', () => {
    it('has every store compared, once an interval, by one registry', async () => {
      const { reconcileSchedule, clock, publisher, relay } = world.registry;
      const runs = () => world.registry.rows('reconcile_runs');
      await reconcileSchedule.look();
      expect(await runs()).toEqual([]);
      clock.pass(601_000);

      await reconcileSchedule.look();
      await reconcileSchedule.look();

      expect((await runs()).map(({ store_id, repairs }) => `${store_id} ${repairs}`).toSorted()).toEqual([
        'fast 0',
        `${STAGING_STORE} 0`,
        'slow 0',
        'web 0',
      ]);
      await world.work(['reconcile']);
      expect((await runs()).map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done']);
      await relay.relay();
      expect(publisher.names().filter((name) => name === 'store.reconciled')).toHaveLength(4);
      clock.pass(DAY - HOUR);
      await reconcileSchedule.look();
      expect(await runs()).toHaveLength(4);
      clock.pass(2 * HOUR);
      await reconcileSchedule.look();
      expect(await runs()).toHaveLength(8);
    });

    it('answers a worker that lost its lease with nothing', async () => {
      await world.ask('fast');
      const [job] = await world.registry.jobs.claim({ instanceId: 'w', kinds: ['reconcile'], limit: 1 });
      world.registry.clock.pass(HOUR);
      await world.registry.jobs.claim({ instanceId: 'v', kinds: ['reconcile'], limit: 1 });

      await expect(
        world.registry.reconcile.examine({
          jobId: job!.id,
          leaseToken: job!.leaseToken,
          entries: [],
        }),
      ).rejects.toMatchObject({ code: 'LEASE_LOST' });
    });
  });
}
