import { randomUUID } from 'node:crypto';
import { imageEvents } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import type { BusHarness } from './bus-harness.conformance.js';
import type { OpenBus } from './open-bus.js';

const { deleted } = imageEvents;

/** Announces until it is heard: listening begins a moment after the call. Resolves with the subject. */
export async function announceUntil(from: OpenBus, isHeard: (imageId: string) => boolean): Promise<string> {
  const imageId = randomUUID();
  await waitFor('a live event', () => {
    from.live.announce(deleted, imageId, { imageId });
    return isHeard(imageId);
  });
  return imageId;
}

/** What live events promise. */
export function describeLiveEvents(harness: () => BusHarness): void {
  describe('a live event', () => {
    it('reaches everybody who listens, as it was sent', async () => {
      const seen: string[][] = [[], [], []];
      const [first, second] = [harness().client(), harness().client()];
      first.live.listen(deleted, ({ subject }) => seen[0]?.push(subject));
      first.live.listen(deleted, ({ payload }) => seen[1]?.push(payload.imageId));
      second.live.listen(deleted, ({ subject }) => seen[2]?.push(subject));

      const id = await announceUntil(harness().client(), (sent) => seen.every((ids) => ids.includes(sent)));
      for (const ids of seen) expect(ids).toContain(id);
    });

    it('reaches nobody who has stopped to listen', async () => {
      const [early, late]: string[][] = [[], []];
      const bus = harness().client();
      const stop = bus.live.listen(deleted, ({ subject }) => early?.push(subject));
      bus.live.listen(deleted, ({ subject }) => late?.push(subject));
      await announceUntil(bus, (id) => early?.includes(id) === true);

      stop();
      const before = early?.length;
      await announceUntil(bus, (id) => late?.includes(id) === true);

      expect(early).toHaveLength(before ?? 0);
    });

    it('can be listened to again', async () => {
      const bus = harness().client();
      bus.live.listen(deleted, () => undefined)();
      const seen: string[] = [];

      bus.live.listen(deleted, ({ subject }) => seen.push(subject));

      expect(seen).toContain(await announceUntil(bus, (id) => seen.includes(id)));
    });

    it('needs no listener, and is not kept for one', async () => {
      const bus = harness().client();
      bus.live.announce(deleted, 'lost', { imageId: 'lost' });
      const seen: string[] = [];

      bus.live.listen(deleted, ({ subject }) => seen.push(subject));
      await announceUntil(bus, (id) => seen.includes(id));

      expect(seen).not.toContain('lost');
    });

    it('that breaks its contract is dropped', async () => {
      const bus = harness().client();
      const seen: string[] = [];
      bus.live.listen(deleted, ({ subject }) => seen.push(subject));
      await announceUntil(bus, (id) => seen.includes(id));

      bus.live.announce(deleted, 'broken', { imageId: 7 } as never);
      await announceUntil(bus, (id) => seen.includes(id));

      expect(seen).not.toContain('broken');
    });
  });
}
