import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, rename, rm, truncate } from 'node:fs/promises';
import { STAGING_STORE } from '@glimpse/contracts';
import { renderMetrics } from '@glimpse/observability';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DatabasePlace } from '../registry-harness.conformance.js';
import { describeQuarantine } from './quarantine.conformance.js';
import { DAY, Died, HOUR, ReconcileWorld, atOnce, repair } from './reconcile-world.conformance.js';

/** What a comparison of stores and database finds, and what it leaves alone. */
export function describeReconcile(makePlace: () => Promise<DatabasePlace>): void {
  let world: ReconcileWorld;
  beforeAll(async () => {
    world = await ReconcileWorld.open(makePlace);
  });
  afterEach(() => world.reset());
  afterAll(() => world.close());

  const findings = () => world.registry.rows('store_findings');
  const quarantined = () => world.registry.rows('quarantined_objects');

  describe('what belongs to nobody', () => {
    it('is reported, and touched by no comparison that is not to repair', async () => {
      const live = await world.anImage();
      const queued = await world.create();
      await world.plant('fast', queued, 'orphan', 9 * DAY);
      await world.strand(queued);
      await world.plant('fast', 'holiday.iso', 'of somebody else');

      const report = await world.compare('fast');

      expect(report).toMatchObject({
        listed: { objects: 4 },
        foreign: { objects: 1, bytes: 16, examples: ['holiday.iso'] },
        orphans: { objects: 2, bytes: 13 },
        unknown: { objects: 0 },
        promised: 1,
        missing: 0,
        setAside: { objects: 0 },
        quarantine: { objects: 0 },
      });
      expect((await world.listAll()).urls).toHaveLength(4);
      expect(await world.read(live)).toEqual([Buffer.from('live data of it')]);
    });

    it('is set aside once it was old enough, and known for long enough', async () => {
      const queued = await world.create();
      const url = await world.plant('fast', queued, 'orphan', 9 * DAY);

      expect(await world.compare('fast', repair)).toMatchObject({ setAside: { objects: 0 } });
      world.registry.clock.pass(DAY - HOUR);
      expect(await world.compare('fast', repair)).toMatchObject({ setAside: { objects: 0 } });
      world.registry.clock.pass(2 * HOUR);
      const report = await world.compare('fast', repair);

      expect(report).toMatchObject({
        setAside: { objects: 1, bytes: 6 },
        orphans: { objects: 0 },
        quarantine: { objects: 1, bytes: 6 },
      });
      expect(await world.listAll()).toEqual({ urls: [], aside: [url] });
      expect(await findings()).toEqual([]);
    });

    it('begins its time anew when something else takes its place', async () => {
      const queued = await world.create();
      await world.plant('fast', queued, 'orphan', 9 * DAY);
      await world.compare('fast', repair);
      world.registry.clock.pass(2 * DAY);
      await world.plant('fast', queued, 'another', 9 * DAY);

      expect(await world.compare('fast', repair)).toMatchObject({ setAside: { objects: 0 } });
    });

    it('is left alone where the database never knew the image, but for a sole owner', async () => {
      await world.plant('fast', randomUUID());

      expect(await world.compare('fast', atOnce)).toMatchObject({
        setAside: { objects: 0 },
        orphans: { objects: 1 },
        unknown: { objects: 1 },
      });
      expect(await world.compare('fast', { ...atOnce, soleOwner: true })).toMatchObject({
        setAside: { objects: 1 },
        orphans: { objects: 0 },
      });
    });

    it('is removed when it was set aside for long enough, not before', async () => {
      await world.plant('fast', await world.create());
      await world.compare('fast', atOnce);
      world.registry.clock.pass(6 * DAY);
      expect(await world.compare('fast', repair)).toMatchObject({ discarded: { objects: 0 } });
      world.registry.clock.pass(2 * DAY);

      expect(await world.compare('fast', { ...repair, discard: false })).toMatchObject({
        discarded: { objects: 0 },
      });
      expect(await world.compare('fast', repair)).toMatchObject({
        discarded: { objects: 1, bytes: 7 },
        quarantine: { objects: 0 },
      });

      expect(await world.listAll()).toEqual({ urls: [], aside: [] });
      expect(await quarantined()).toEqual([]);
    });

    it('of staging is found too', async () => {
      const id = await world.create();
      await world.plant('staging', `${id}.${randomUUID()}`);

      expect(await world.compare(STAGING_STORE, atOnce)).toMatchObject({ setAside: { objects: 1 } });
    });
  });

  describe('what somebody may need', () => {
    it('is the data of an upload that is under way, published or not', async () => {
      const [first, second] = [await world.create(), await world.create()];
      let steps = 0;
      const dying = async () => {
        steps += 1;
        if (steps === 4) throw new Died();
      };
      await expect(world.upload(first, randomBytes(20), dying)).rejects.toBeInstanceOf(Died);
      await world.registry.data.beginUpload({
        ctx: {
          requestId: 'r',
          userId: 'u',
          projectId: 'p1',
          domainId: null,
          systemScope: null,
          roles: ['member'],
          serviceRoles: [],
        },
        id: second,
        uploadId: randomUUID(),
        instanceId: 'gateway',
        storeId: 'fast',
        size: null,
      });
      await world.strand(second);

      expect(await world.compare('fast', { ...atOnce, soleOwner: true })).toMatchObject({
        listed: { objects: 2 },
        orphans: { objects: 0 },
        setAside: { objects: 0 },
      });
    });

    it('is the data of a deleted image that can be restored', async () => {
      const id = await world.anImage();
      await world.registry.database.unitOfWork.run(async (tx) => {
        await tx.execute("UPDATE images SET status = 'pending_delete', deleted = 1 WHERE id = ?", [id]);
        await tx.execute(
          "UPDATE image_locations SET status = 'pending_delete', deleted = 1 WHERE image_id = ?",
          [id],
        );
      });

      expect(await world.compare('fast', atOnce)).toMatchObject({
        orphans: { objects: 0 },
        promised: 1,
        missing: 0,
      });
    });

    it('is what a row names in another way, or another image has', async () => {
      const [id, other, own] = [await world.anImage(), await world.create(), await world.create()];
      const url = await world.plant('fast', own);
      await world.registry.database.unitOfWork.run(async (tx) => {
        await tx.execute('UPDATE image_locations SET value = ? WHERE image_id = ?', [
          `filesystem://${world.pathOf('fast', id)}`,
          id,
        ]);
        await tx.insert('image_locations', [
          {
            image_id: other,
            value: url.replace('file://', 'filesystem://'),
            meta_data: '{}',
            status: 'active',
            created_at: '2026-01-01 00:00:00',
            updated_at: '2026-01-01 00:00:00',
            deleted: 0,
          },
        ]);
      });

      expect(await world.compare('fast', atOnce)).toMatchObject({
        setAside: { objects: 0 },
        orphans: { objects: 0 },
      });
    });

    it('is not a copy in another store than the one that the row names', async () => {
      const id = await world.anImage();
      await world.plant('slow', id);

      expect(await world.compare('slow', atOnce)).toMatchObject({ setAside: { objects: 1 } });
      expect(await world.read(id)).toHaveLength(1);
    });

    it('is what a Glance is writing, which has no leases', async () => {
      const id = await world.create();
      await world.registry.database.unitOfWork.run((tx) =>
        tx.execute("UPDATE images SET status = 'saving' WHERE id = ?", [id]),
      );
      await world.plant('fast', id);

      expect(await world.compare('fast', atOnce)).toMatchObject({ orphans: { objects: 0 } });
    });

    it('is data that a delete-data job is to remove', async () => {
      const id = await world.anImage();
      await world.remove(id);

      expect(await world.compare('fast', atOnce)).toMatchObject({ orphans: { objects: 0 } });
      await world.work(['delete-data']);
      expect((await world.listAll()).urls).toEqual([]);
    });
  });

  describe('what was found', () => {
    it('is in the metrics of every registry', async () => {
      await world.plant('fast', await world.create(), 'orphan', 9 * DAY);
      await rm(world.pathOf('fast', await world.anImage()));
      await world.compare('fast');

      await world.registry.reconcileGauge.measure();

      const { body } = await renderMetrics();
      expect(body).toContain('glimpse_store_orphan_objects{store="fast"} 1\n');
      expect(body).toContain('glimpse_store_orphan_bytes{store="fast"} 6\n');
      expect(body).toContain('glimpse_store_missing_objects{store="fast"} 1\n');
      expect(body).toMatch(/glimpse_store_reconciled_timestamp_seconds\{store="fast"\} \d/);
    });
  });

  describe('what rows promise', () => {
    it('is reported when it is missing or has another size, until it is there again', async () => {
      const [gone, short, whole] = [await world.anImage(), await world.anImage(), await world.anImage()];
      await rename(world.pathOf('fast', gone), world.pathOf('slow', 'away'));
      await truncate(world.pathOf('fast', short), 3);

      expect(await world.compare('fast')).toMatchObject({ promised: 3, missing: 1, wrongSize: 1 });

      const found = await findings();
      expect(found.map(({ kind, image_id }) => `${kind} ${image_id}`).toSorted()).toEqual([
        `missing ${gone}`,
        `wrong_size ${short}`,
      ]);
      const wanted = await world.registry.rows('location_checks', 'requested_at IS NOT NULL');
      expect(wanted.map(({ image_id }) => image_id).toSorted()).toEqual([gone, short].toSorted());
      expect(found.find(({ kind }) => kind === 'wrong_size')).toMatchObject({ size: 3, expected_size: 15 });
      await rename(world.pathOf('slow', 'away'), world.pathOf('fast', gone));
      world.registry.clock.pass(1000);
      expect(await world.compare('fast')).toMatchObject({ missing: 0, wrongSize: 1 });
      expect(await world.read(whole)).toHaveLength(1);
    });

    it('is verified although time goes by while it is noted', async () => {
      const id = await world.anImage();
      await rm(world.pathOf('fast', id));
      const { clock } = world.registry;
      const read = clock.now.bind(clock);
      let ticks = 0;
      clock.now = () => read() + (ticks += 1);

      await world.compare('fast');

      clock.now = read;
      expect(await world.registry.rows('location_checks', 'requested_at IS NOT NULL')).toMatchObject([
        { image_id: id },
      ]);
    });

    it('stays noted where the clock of the registry that notes it is behind', async () => {
      await rm(world.pathOf('fast', await world.anImage()));
      await world.plant('fast', await world.create());
      await world.ask('fast');
      let steps = 0;
      await world.work(['reconcile'], async () => {
        if (++steps === 2) world.registry.clock.pass(-5_000);
      });

      expect((await findings()).map(({ kind }) => kind).toSorted()).toEqual(['missing', 'orphan']);
    });

    it('of an image that was deleted meanwhile is not missing', async () => {
      const id = await world.anImage();
      await world.ask('fast');
      let isDeleted = false;
      const deleting = async () => {
        if (isDeleted || (await readdir(world.pathOf('fast', ''))).length === 0) return;
        isDeleted = true;
        await world.remove(id);
        await world.work(['delete-data']);
      };

      await world.work(['reconcile'], deleting);

      expect(await findings()).toEqual([]);
    });

    it('can not be told of a store that is away', async () => {
      const id = await world.anImage();
      await rename(world.pathOf('fast', ''), world.pathOf('elsewhere', ''));
      const runId = await world.ask('fast', atOnce);

      await world.work(['reconcile']);

      const [job] = await world.registry.rows('jobs', "kind = 'reconcile'");
      expect(job).toMatchObject({
        status: 'queued',
        last_error: expect.stringContaining('STORE_UNAVAILABLE'),
      });
      expect(await world.registry.rows('reconcile_runs', `id = '${runId}'`)).toMatchObject([
        { status: 'running', report: null },
      ]);
      await rename(world.pathOf('elsewhere', ''), world.pathOf('fast', ''));
      expect(await world.read(id)).toHaveLength(1);
    });
  });

  describeQuarantine(() => world);
}
