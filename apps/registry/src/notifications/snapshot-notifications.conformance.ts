import { expect, it } from '@jest/globals';
import type { RegistryUnderTest } from '../registry-harness.conformance.js';
import { snapshotTools } from '../snapshots/snapshot-tools.conformance.js';
import { toldAbout } from './told-about.conformance.js';

/** What others are notified of the snapshots that compute asks for: the same as of images that are imported. */
export function describeSnapshotNotifications(registry: () => RegistryUnderTest): void {
  const { accepted, cancel, claim, complete, fail, failure, result } = snapshotTools(registry);
  const toldOf = (imageId: string) => toldAbout(registry(), imageId);
  const asked = ['image.create queued', 'task.create pending'];
  const began = [...asked, 'task.processing processing', 'image.update importing'];

  it('tell of one that is done', async () => {
    const { imageId } = await accepted();
    await complete(await claim(imageId), result(imageId, 'slow'));

    expect(await toldOf(imageId)).toEqual([
      ...began,
      'image.prepare importing',
      'image.upload active',
      'image.activate active',
      'image.update active',
      'image.update active',
      'task.success success',
      'task.run pending',
    ]);
  });

  it('tell of one that no store took, whose image is gone', async () => {
    const { imageId } = await accepted();
    await complete(await claim(imageId), failure('slow'));

    expect(await toldOf(imageId)).toEqual([
      ...began,
      'image.prepare importing',
      'image.upload ERROR',
      'image.update queued',
      'image.delete deleted',
      'task.failure failure',
    ]);
  });

  it('tell of one whose data could not be had', async () => {
    const { imageId } = await accepted();
    await fail(await claim(imageId));
    await complete(await claim(imageId, 'delete-data'));

    expect(await toldOf(imageId)).toEqual([
      ...began,
      'image.update queued',
      'image.delete deleted',
      'task.failure failure',
      'task.run pending',
    ]);
  });

  it('tell of one that is cancelled, before its work begins and after', async () => {
    const waiting = await accepted();
    await cancel(waiting.order.request_id);
    const running = await accepted();
    await claim(running.imageId);
    await cancel(running.order.request_id);

    const gone = ['task.failure failure', 'image.delete deleted'];
    expect(await toldOf(waiting.imageId)).toEqual([...asked, ...gone]);
    expect(await toldOf(running.imageId)).toEqual([...began, ...gone]);
  });
}
