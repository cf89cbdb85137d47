import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';
import { describeDamagedCopies } from './damaged-copies.conformance.js';
import { intact, verificationTools } from './verification-tools.conformance.js';

/** Two stores in which copies can be. */
export const verificationEnvironment = {
  GLIMPSE_STORES: JSON.stringify({
    fast: { type: 'file', datadir: '/nonexistent/fast', weight: 10 },
    slow: { type: 'file', datadir: '/nonexistent/slow' },
  }),
  GLIMPSE_DEFAULT_STORE: 'slow',
};

const DAY_MS = 86_400_000;

/** Whether stored data is still what it was. */
export function describeVerification(registry: () => RegistryUnderTest, url: () => string): void {
  const tools = verificationTools(registry);
  const { stored, copiesOf, copyIn, show, eventsOf, claim, verify } = tools;

  beforeEach(() =>
    registry().database.unitOfWork.run(async (tx) => {
      await tx.execute('DELETE FROM jobs');
      await tx.execute('DELETE FROM location_checks');
      await tx.execute("UPDATE image_locations SET deleted = 1, status = 'deleted'");
    }),
  );

  describe('asked for', () => {
    it('reads every copy, with what is recorded of it, and tells when it was whole', async () => {
      for (const store of ['slow', 'fast']) await stored([store]);
      const id = await stored(['slow', 'fast']);

      await registry().verification.request(anAdmin(), id);
      await registry().verificationQueue.look();
      const [first, ...others] = await claim('verify');

      expect(others).toEqual([]);
      expect(first?.payload).toMatchObject({
        imageId: id,
        recorded: { size: 3, osHashAlgo: 'sha512', osHashValue: 'h'.repeat(128) },
        bytesPerSecond: 33_554_432,
        missingHashes: null,
        witnesses: [{ metadata: { store: 'slow' } }],
      });
      const { jobId, leaseToken } = first!;
      await registry().jobs.complete({ jobId, leaseToken, result: intact });
      await verify(id, () => intact);
      const now = new Date(registry().clock.now()).toISOString();
      expect(await copiesOf(id)).toEqual([
        expect.objectContaining({ storeId: 'slow', state: 'intact', isInService: true, intactAt: now }),
        expect.objectContaining({ storeId: 'fast', state: 'intact', isQueued: false, checkedAt: now }),
      ]);
      expect(await eventsOf(id)).toContain('image.copy.verified');
    });

    it('by many at once, while the queue notes the same copies, fails for none of them', async () => {
      const id = await stored(['slow', 'fast']);
      const other = await startRegistryOn(url(), verificationEnvironment, registry().clock);

      await Promise.all(
        Array.from({ length: 6 }, (_, index) => {
          const one = index % 2 === 0 ? registry() : other;
          return index % 3 === 0 ? one.verificationQueue.look() : one.verification.request(anAdmin(), id);
        }),
      );

      expect(await copiesOf(id)).toMatchObject([{ isQueued: true }, { isQueued: true }]);
      await other.close();
    });

    it('by a reader that found nothing there looks at what was not looked at lately', async () => {
      const id = await stored(['slow']);
      const isQueued = async () => (await copyIn(id, 'slow'))?.isQueued;

      await registry().verification.suspect(id);
      expect(await isQueued()).toBe(true);
      await verify(id, () => intact);
      await registry().verification.suspect(id);
      expect(await isQueued()).toBe(false);
      registry().clock.pass(2 * 3_600_000);
      await registry().verification.suspect(id);
      await registry().verification.suspect('no image');

      expect(await isQueued()).toBe(true);
    });

    it('is for administrators, and of data that is there', async () => {
      const id = await stored(['slow']);
      const { id: empty } = await registry().images.create(aCaller(), aNewImage());

      const refusals = [
        { work: () => registry().verification.request(aCaller(), id), code: 'ACTION_FORBIDDEN' },
        { work: () => registry().verification.get(aCaller('p2'), id), code: 'IMAGE_NOT_FOUND' },
        { work: () => registry().verification.request(anAdmin(), empty), code: 'IMAGE_STATUS_CONFLICT' },
      ];

      for (const { work, code } of refusals) await expect(work()).rejects.toMatchObject({ code });
    });
  });

  describe('in turn', () => {
    it('comes to every copy within the interval, the longest waiting first, and only so many at once', async () => {
      const ids = [await stored(['slow']), await stored(['slow']), await stored(['slow'])];
      await registry().verificationQueue.look();
      expect(await registry().rows('location_checks')).toHaveLength(3);
      expect(await claim('verify')).toEqual([]);
      registry().clock.pass(30 * DAY_MS);
      const waiting = (await registry().rows('location_checks')).toSorted(
        (one, other) => one.turn_at - other.turn_at,
      );

      const order: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        await registry().verificationQueue.look();
        await registry().verificationQueue.look();
        for (const { payload, ...job } of await claim('verify')) {
          order.push(payload.imageId);
          await registry().jobs.complete({ ...job, result: intact });
        }
      }

      expect(order).toEqual(waiting.map(({ image_id: id }) => id));
      expect(order.toSorted()).toEqual(ids.toSorted());
    });

    it('hands a copy out once however many registries look', async () => {
      await stored(['slow']);
      await registry().verificationQueue.look();
      registry().clock.pass(31 * DAY_MS);
      const other = await startRegistryOn(url(), verificationEnvironment, registry().clock);

      await Promise.all([
        registry().verificationQueue.look(),
        other.verificationQueue.look(),
        registry().verificationQueue.look(),
        other.verificationQueue.look(),
      ]);

      expect(await registry().rows('jobs', "kind = 'verify'")).toHaveLength(1);
      await other.close();
    });

    it('is forgotten with the data', async () => {
      const id = await stored(['slow']);
      await registry().verificationQueue.look();
      await registry().images.delete(aCaller(), id);
      registry().clock.pass(31 * DAY_MS);

      await registry().verificationQueue.look();

      expect(await registry().rows('location_checks')).toEqual([]);
      expect(await claim('verify')).toEqual([]);
    });
  });

  describe('of data without a hash', () => {
    const found = { size: 3, checksum: 'd'.repeat(32), osHashAlgo: 'sha512', osHashValue: 'f'.repeat(128) };
    const none = { checksum: null, osHashAlgo: null, osHashValue: null };

    it('records one when it is asked for', async () => {
      const id = await stored(['slow'], none);

      await verify(id, () => ({ state: 'unhashed', reason: null, found }));

      expect(await show(id)).toMatchObject(found);
      expect(await copyIn(id, 'slow')).toMatchObject({ state: 'intact' });
    });

    it('computes none in turn, unless the configuration says so', async () => {
      const id = await stored(['slow'], none);
      await registry().verificationQueue.look();
      registry().clock.pass(31 * DAY_MS);

      await registry().verificationQueue.look();

      const [job] = await claim('verify');
      expect(job?.payload).toMatchObject({ imageId: id, missingHashes: null });
    });
  });

  describeDamagedCopies(tools);
}
