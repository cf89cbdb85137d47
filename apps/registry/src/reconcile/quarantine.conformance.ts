import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { DAY, Died, HOUR, type ReconcileWorld, atOnce, repair } from './reconcile-world.conformance.js';

/** What becomes of data that was set aside. */
export function describeQuarantine(world: () => ReconcileWorld): void {
  const quarantined = () => world().registry.rows('quarantined_objects');
  const statusOf = async (id: string) =>
    (await world().registry.rows('images', `id = '${id}'`)).map(({ status }) => status);

  describe('what was set aside', () => {
    /** Sets an orphan aside, and makes an image refer to it. */
    const setAsideAndClaimed = async () => {
      const id = await world().create();
      const url = await world().plant('fast', id, 'precious');
      await world().compare('fast', atOnce);
      await world().registry.insert('image_locations', {
        image_id: id,
        value: url,
        meta_data: '{"store": "fast"}',
        status: 'active',
        created_at: '2026-01-01 00:00:00',
        updated_at: '2026-01-01 00:00:00',
        deleted: 0,
      });
      return { id, url };
    };

    it('goes back where an image refers to it by now, whatever the time and whether or not to repair', async () => {
      const { url } = await setAsideAndClaimed();
      world().registry.clock.pass(30 * DAY);

      const report = await world().compare('fast');

      expect(report).toMatchObject({ putBack: 1, quarantine: { objects: 0 } });
      expect(await world().listAll()).toEqual({ urls: [url], aside: [] });
    });

    it('is not removed in place of the data that took its place, and goes when its time is over', async () => {
      const id = await world().create();
      const url = await world().plant('fast', id, 'old');
      await world().compare('fast', atOnce);
      await world().upload(id, Buffer.from('the new data'));

      expect(await world().compare('fast', repair)).toMatchObject({ putBack: 0, quarantine: { objects: 1 } });
      world().registry.clock.pass(8 * DAY);
      expect(await world().compare('fast', repair)).toMatchObject({ discarded: { objects: 1 } });

      expect(await world().contentOf(url)).toEqual(Buffer.from('the new data'));
      expect(await statusOf(id)).toEqual(['active']);
    });

    it('is verified when it goes back: the image may have had other data there in the meantime', async () => {
      const { id } = await setAsideAndClaimed();

      await world().compare('fast');

      expect(await world().registry.rows('location_checks', 'requested_at IS NOT NULL')).toMatchObject([
        { image_id: id },
      ]);
    });

    it('by another deployment in the same place is left to it, but for a sole owner', async () => {
      await world().compare('fast');
      await mkdir(world().pathOf('fast', '.quarantine'));
      await world().plant('fast', `.quarantine/${randomUUID()}.${randomUUID()}`);
      await world().compare('fast', repair);
      world().registry.clock.pass(30 * DAY);

      expect(await world().compare('fast', repair)).toMatchObject({ quarantine: { objects: 1 } });
      expect(await world().compare('fast', { ...repair, soleOwner: true })).toMatchObject({
        discarded: { objects: 1 },
      });
    });

    it('is known again when its row was lost, and its row goes when it was taken away', async () => {
      const id = await world().create();
      await world().plant('fast', id);
      await world().compare('fast', atOnce);
      await world().registry.database.unitOfWork.run((tx) => tx.execute('DELETE FROM quarantined_objects'));

      expect(await world().compare('fast', repair)).toMatchObject({ quarantine: { objects: 1 } });
      const [row] = await quarantined();
      expect(row).toMatchObject({ image_id: id, name: id, state: 'held' });
      await rm(world().pathOf('fast', '.quarantine'), { recursive: true });
      world().registry.clock.pass(1000);
      expect(await world().compare('fast', repair)).toMatchObject({ quarantine: { objects: 0 } });
    });

    it.each(['put-back', 'discard'])('is treated as an operator wants it: %s', async (state) => {
      const url = await world().plant('fast', await world().create());
      await world().compare('fast', atOnce);
      await world().registry.database.unitOfWork.run((tx) =>
        tx.execute('UPDATE quarantined_objects SET state = ?', [state]),
      );

      await world().compare('fast', { scope: 'quarantine' });

      expect(await world().listAll()).toEqual({ urls: state === 'put-back' ? [url] : [], aside: [] });
      expect(await quarantined()).toEqual([]);
    });

    it.each([1, 2, 3, 4, 5])('survives a worker that dies before its step %d', async (diesAt) => {
      const live = await world().anImage();
      const queued = await world().create();
      await world().plant('fast', queued);
      await world().ask('fast', atOnce);
      let steps = 0;
      const dying = async () => {
        steps += 1;
        if (steps > diesAt) throw new Died();
      };
      await expect(world().work(['reconcile'], dying)).rejects.toBeInstanceOf(Died);

      world().registry.clock.pass(HOUR);
      await world().work(['reconcile']);

      expect((await world().listAll()).aside).toHaveLength(1);
      expect(await quarantined()).toMatchObject([{ state: 'held', image_id: queued }]);
      expect(await world().read(live)).toHaveLength(1);
    });
  });
}
