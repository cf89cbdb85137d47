import { jobPayloadOf } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { aCaller, anAdmin } from '../registry-harness.conformance.js';
import { type VerificationTools, damaged, intact, missing } from './verification-tools.conformance.js';

/** What becomes of a copy that is not what it should be, and what is taken for one wrongly. */
export function describeDamagedCopies(tools: VerificationTools): void {
  const {
    registry,
    urlIn,
    stored,
    copyIn,
    show,
    eventsOf,
    jobsOf,
    removedUrlsOf,
    claim,
    verify,
    repair,
    giveUp,
    damagedIn,
  } = tools;

  describe('of a damaged copy', () => {
    it('takes it out of service, says so, and has it repaired from another store', async () => {
      const id = await stored(['slow', 'fast']);
      const before = await show(id);
      const slowUrl = (await registry().rows('image_locations', `image_id = '${id}'`))[0]!.value;

      await verify(id, damagedIn('slow'));

      const ticket = await registry().data.openDownload(aCaller(), id);
      const shown = await show(id);
      expect(ticket.locations.map(({ metadata }) => metadata['store'])).toEqual(['fast']);
      expect(shown).toMatchObject({
        status: 'active',
        stores: ['fast'],
        properties: { os_glance_damaged_stores: 'slow' },
      });
      expect(shown.revision).not.toBe(before.revision);
      expect(await copyIn(id, 'slow')).toMatchObject({
        state: 'damaged',
        isInService: false,
        reason: 'The data is another one',
        isQueued: true,
      });
      const good = { url: urlIn('slow'), metadata: { store: 'slow' } };
      const payload = await repair(id, { outcome: 'repaired', location: good, suspects: [] });
      expect(payload.sources.map(({ metadata }) => metadata['store'])).toEqual(['fast']);
      expect(payload.location.url).toBe(slowUrl);
      expect(await show(id)).toMatchObject({ stores: ['fast', 'slow'], properties: {} });
      expect((await show(id)).properties).not.toHaveProperty('os_glance_damaged_stores');
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact', isInService: true, isQueued: false });
      expect(await removedUrlsOf(id)).toEqual([slowUrl]);
      expect(await eventsOf(id)).toEqual(
        expect.arrayContaining(['image.copy.verified', 'image.copy.repaired', 'image.updated']),
      );
    });

    it('that is the only one gives the data to nobody, and deletes nothing', async () => {
      const id = await stored(['slow']);

      await verify(id, () => damaged);

      const download = registry().data.openDownload(aCaller(), id);
      await expect(download).rejects.toMatchObject({ code: 'IMAGE_DATA_DAMAGED' });
      expect(await show(id)).toMatchObject({
        status: 'active',
        stores: [],
        properties: { os_glance_damaged_stores: 'slow' },
      });
      expect(await jobsOf(id, 'repair')).toEqual([]);
      expect(await removedUrlsOf(id)).toEqual([]);
      await registry().images.delete(aCaller(), id);
      expect(await removedUrlsOf(id)).toHaveLength(1);
    });

    it('ends when it is whole again, from which the others are repaired next', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('fast'));
      await repair(id, { outcome: 'not-repaired', reason: 'None is good', suspects: [] });
      await verify(id, (store) => (store === 'slow' ? missing : damaged));
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'missing', isInService: false });

      registry().clock.pass(2 * 3_600_000);
      await registry().verificationQueue.look();
      const [job] = await claim('verify');
      await registry().jobs.complete({ ...job!, result: intact });

      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact', isInService: true });
      expect(await copyIn(id, 'fast')).toMatchObject({ isInService: false, isQueued: true });
      expect((await registry().data.openDownload(aCaller(), id)).locations).toHaveLength(1);
    });

    it('keeps the last good copy, and lets the damaged one be removed by hand', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));

      const remove = (store: string) => registry().stores.removeImage(anAdmin(), store, id);
      await expect(remove('fast')).rejects.toMatchObject({ code: 'LOCATION_IS_LAST' });
      await remove('slow');
      expect(await show(id)).toMatchObject({ stores: ['fast'], properties: {} });
    });

    it('that a repair replaced meanwhile removes what the repair wrote', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      await registry().stores.removeImage(anAdmin(), 'slow', id);
      const written = { url: urlIn('slow'), metadata: { store: 'slow' } };

      await repair(id, { outcome: 'repaired', location: written, suspects: [] });

      expect(await show(id)).toMatchObject({ stores: ['fast'] });
      expect(await removedUrlsOf(id)).toContain(written.url);
    });

    it('looks at the copies that a repair could not use', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      const [source] = (await registry().data.openDownload(aCaller(), id)).locations;

      await repair(id, { outcome: 'not-repaired', reason: 'None is good', suspects: [source!.url] });

      expect(await copyIn(id, 'fast')).toMatchObject({ isQueued: true });
      expect(await copyIn(id, 'slow')).toMatchObject({ isInService: false, isQueued: false });
    });

    it('removes what a repair left that was given up', async () => {
      const id = await stored(['slow', 'fast']);
      await verify(id, damagedIn('slow'));
      await giveUp('repair');

      const [cleanUp] = await jobsOf(id, 'delete-data');

      const { leftovers } = jobPayloadOf('delete-data', JSON.parse(cleanUp!.payload));
      expect(leftovers).toHaveLength(3);
      expect(leftovers?.[0]?.key).toMatch(new RegExp(`^${id}-`));
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'damaged', isQueued: false });
    });
  });

  describe('is no false alarm', () => {
    it('where the store does not answer', async () => {
      const id = await stored(['slow']);
      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      await giveUp('verify');

      expect(await copyIn(id, 'slow')).toMatchObject({
        state: 'unreachable',
        isInService: true,
        reason: 'no answer',
      });
      expect((await registry().data.openDownload(aCaller(), id)).locations).toHaveLength(1);
    });

    it('where the image was deleted, or its data is another one, meanwhile', async () => {
      const gone = await stored(['slow']);
      const other = await stored(['slow']);
      const lookAt = async (id: string, meanwhile: () => Promise<unknown>) => {
        await registry().verification.request(anAdmin(), id);
        await registry().verificationQueue.look();
        const [job] = await claim('verify');
        await meanwhile();
        await registry().jobs.complete({ jobId: job!.jobId, leaseToken: job!.leaseToken, result: damaged });
      };

      await lookAt(gone, () => registry().images.delete(aCaller(), gone));
      await lookAt(other, () =>
        registry().database.unitOfWork.run((tx) =>
          tx.execute('UPDATE images SET os_hash_value = ? WHERE id = ?', ['e'.repeat(128), other]),
        ),
      );

      expect(await registry().rows('location_checks', 'damaged_at IS NOT NULL')).toEqual([]);
      expect(await copyIn(other, 'slow')).toMatchObject({ isInService: true, isQueued: true });
    });

    it('when the worker died: another one looks', async () => {
      const id = await stored(['slow']);
      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      const [first] = await claim('verify');
      registry().clock.pass(60_000);

      const [second] = await claim('verify');

      expect(second?.jobId).toBe(first?.jobId);
      const late = await registry().jobs.complete({
        jobId: first!.jobId,
        leaseToken: first!.leaseToken,
        result: damaged,
      });
      expect(late).toEqual({ outcome: 'lost' });
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'unverified', isInService: true });
    });
  });
}
