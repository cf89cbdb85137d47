import { randomUUID } from 'node:crypto';
import type { ImageChange } from '@glimpse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';

const SCRUB_TIME_MS = 60_000;

export function describeRevisions(registry: () => RegistryUnderTest, url: () => string): void {
  const owner = aCaller('p1');
  const set = (name: string, value: string): ImageChange => ({ target: 'property', op: 'set', name, value });
  const create = (more = {}) => registry().images.create(owner, aNewImage(more));
  const activate = async (on = registry(), more = {}) => {
    const { id } = await on.images.create(owner, aNewImage(more));
    const upload = { ctx: owner, id, uploadId: randomUUID(), storeId: 'file', instanceId: 'g', size: null };
    await on.data.beginUpload(upload);
    await on.data.commitUpload({ ...upload, stored: storedAt(`file:///${id}`) });
    return id;
  };

  describe('the revision of an image', () => {
    it('is the same however it is learned, and another one after each change', async () => {
      const { id, revision } = await create({ tags: ['b', 'a'], properties: { x: '1', y: '2' } });
      const seen = [revision];
      const now = async () => (await registry().images.get(owner, id)).revision;
      const expectAnother = async (change: Promise<unknown>) => {
        await change;
        expect(seen).not.toContain(await now());
        seen.push(await now());
      };

      expect(await now()).toBe(revision);
      const changed = await registry().images.update(owner, id, [set('x', '2')]);
      expect(await now()).toBe(changed.revision);
      await expectAnother(registry().tags.add(owner, id, 'c'));
      await expectAnother(registry().images.update(owner, id, [set('z', '')]));
      registry().clock.pass(1_000);
      await expectAnother(registry().images.update(owner, id, [set('z', '')]));
    });

    it('covers where the data is', async () => {
      const id = await activate();
      const { revision } = await registry().images.get(owner, id);
      await registry().database.unitOfWork.run((tx) =>
        tx.execute("UPDATE image_locations SET value = 'file:///moved' WHERE image_id = ?", [id]),
      );

      expect((await registry().images.get(owner, id)).revision).not.toBe(revision);
    });

    it('lets exactly one of those who had it in mind change the image, in two registries', async () => {
      const other = await startRegistryOn(url());
      const { id, revision = '' } = await create();

      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 === 0 ? registry() : other).images.update(owner, id, [set('winner', String(index))], {
            ifMatch: [revision],
          }),
        ),
      );

      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
      for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'PRECONDITION_FAILED' });
      await other.close();
    });

    it('is asked for after the permission, and before what is to be changed', async () => {
      const { id, revision = '' } = await create({ visibility: 'community' });
      const ifMatch = ['another'];
      const { images } = registry();

      await expect(images.update(aCaller('p2'), id, [set('a', 'b')], { ifMatch })).rejects.toMatchObject({
        code: 'ACTION_FORBIDDEN',
      });
      await expect(
        images.update(owner, id, [{ target: 'property', op: 'remove', name: 'absent' }], { ifMatch }),
      ).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
      await expect(images.update(owner, id, [], { ifMatch })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      await expect(registry().tags.add(owner, id, 't', { ifMatch })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      await expect(images.delete(owner, id, { ifMatch: [] })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      await expect(images.delete(owner, id, { ifMatch: ['x', revision] })).resolves.toBeUndefined();
    });
  });

  describe('deactivating', () => {
    it('takes the data away from everybody but admins, and gives it back', async () => {
      const id = await activate();

      await registry().actions.deactivate(owner, id);
      await registry().actions.deactivate(owner, id);

      expect(await registry().images.get(owner, id)).toMatchObject({ status: 'deactivated' });
      await expect(registry().data.openDownload(owner, id)).rejects.toMatchObject({
        code: 'IMAGE_DEACTIVATED',
      });
      await expect(registry().data.openDownload(anAdmin(), id)).resolves.toBeDefined();
      await registry().actions.reactivate(owner, id);
      await registry().actions.reactivate(owner, id);
      expect(await registry().images.get(owner, id)).toMatchObject({ status: 'active' });
      const names = (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);
      expect(names.filter((name) => name.endsWith('activated'))).toEqual([
        'image.activated',
        'image.deactivated',
        'image.reactivated',
      ]);
    });

    it('is for images with data, and for those who may', async () => {
      const { id } = await create({ visibility: 'community' });
      const { actions } = registry();

      await expect(actions.deactivate(owner, id)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      await expect(actions.reactivate(owner, id)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      await expect(actions.deactivate(aCaller('p2'), id)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      await expect(actions.deactivate(owner, 'nothing')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    });
  });

  describe('delayed delete', () => {
    let delaying: RegistryUnderTest;
    beforeAll(async () => {
      delaying = await startRegistryOn(url(), {
        GLIMPSE_IMAGES_DELAYED_DELETE: 'true',
        GLIMPSE_IMAGES_SCRUB_TIME_MS: String(SCRUB_TIME_MS),
      });
    });
    afterAll(() => delaying.close());
    const statusOf = async (id: string) => {
      const [image] = await delaying.rows('images', `id = '${id}'`);
      const [location] = await delaying.rows('image_locations', `image_id = '${id}'`);
      return [image?.status, location?.status];
    };
    const jobsOf = (id: string) => delaying.rows('jobs', `image_id = '${id}'`);

    it('keeps the data until its time is over, then lets a worker remove it', async () => {
      const id = await activate(delaying, { properties: { a: '1' } });

      await delaying.images.delete(owner, id);
      await delaying.scrubber.look();

      await expect(delaying.images.get(owner, id)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      expect(await statusOf(id)).toEqual(['pending_delete', 'pending_delete']);
      expect(await jobsOf(id)).toEqual([]);
      delaying.clock.pass(SCRUB_TIME_MS);
      await Promise.all([delaying.scrubber.look(), delaying.scrubber.look()]);
      expect(await statusOf(id)).toEqual(['deleted', 'deleted']);
      expect((await jobsOf(id)).map(({ payload }) => JSON.parse(payload) as unknown)).toEqual([
        { imageId: id, locations: [{ url: `file:///${id}`, metadata: {} }] },
      ]);
    });

    it('deletes an image without data at once', async () => {
      const { id } = await delaying.images.create(owner, aNewImage());

      await delaying.images.delete(owner, id);

      expect(await statusOf(id)).toEqual(['deleted', undefined]);
    });
  });
}
