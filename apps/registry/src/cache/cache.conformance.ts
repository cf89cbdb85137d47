import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { cacheRules } from '@glimpse/contracts';
import { type RegistryUnderTest, aCaller, aNewImage, anAdmin } from '../registry-harness.conformance.js';

export function describeCache(registry: () => RegistryUnderTest): void {
  const owner = aCaller('p1');
  const create = () => registry().images.create(owner, aNewImage());
  const authorize = (...[request]: Parameters<RegistryUnderTest['cache']['authorize']>) =>
    registry().cache.authorize(request);

  describe('the rights to a cache', () => {
    it.each(cacheRules)('%s is for admins', async (rule) => {
      expect(await authorize({ ctx: anAdmin(), rule })).toEqual({ image: null });
      await expect(authorize({ ctx: owner, rule })).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    });

    it('are asked for an image that the caller may know of', async () => {
      const { id } = await create();
      const rule = 'cache_image';

      expect(await authorize({ ctx: anAdmin(), rule, id })).toEqual({
        image: { id, status: 'queued', size: null },
      });
      await expect(authorize({ ctx: owner, rule, id })).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
      await expect(authorize({ ctx: aCaller('p2'), rule, id })).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      await expect(authorize({ ctx: anAdmin(), rule, id: randomUUID() })).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
    });
  });

  it('tells the cache of an image what it needs to fetch it', async () => {
    const { id } = await create();

    expect(await registry().cache.openFill(id)).toMatchObject({
      imageId: id,
      status: 'queued',
      locations: [],
    });
    await expect(registry().cache.openFill(randomUUID())).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it('finds the images that were deleted', async () => {
    const [there, deleted] = [await create(), await create()];
    await registry().images.delete(owner, deleted.id);
    const never = randomUUID();

    expect(await registry().cache.findDeleted([there.id, deleted.id, never])).toEqual([deleted.id, never]);
    expect(await registry().cache.findDeleted([])).toEqual([]);
  });
}
