import { expect, it } from '@jest/globals';
import { renderMetrics } from '@glimpse/observability';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  startRegistryOn,
} from '../registry-harness.conformance.js';

export function describeOutbox(registry: () => RegistryUnderTest, url: () => string): void {
  const ctx = aCaller('p1');
  const create = (name: string) => registry().images.create(ctx, aNewImage({ name }));
  const rename = (id: string, value: string) =>
    registry().images.update(ctx, id, [{ target: 'attribute', op: 'set', name: 'name', value }]);
  const events = () => registry().publisher.published;
  const countedAsUnsent = async () =>
    /^glimpse_outbox_unsent_events (\d+)$/m.exec((await renderMetrics()).body)?.[1];

  it('are published in the order of the changes, once', async () => {
    const image = await create('one');
    await rename(image.id, 'two');
    await registry().images.delete(ctx, image.id);

    await registry().relay.relay();
    await registry().relay.relay();

    const about = events().filter(({ subject }) => subject === image.id);
    expect(about.map(({ name }) => name)).toEqual(['image.created', 'image.updated', 'image.deleted']);
    expect(about[1]?.payload).toMatchObject({ image: { name: 'two' } });
  });

  it('say nothing of what was rolled back', async () => {
    const image = await create('kept');
    await registry().relay.relay();
    const before = events().length;

    await rename(image.id, 'x'.repeat(256)).catch(() => undefined);
    await registry().relay.relay();

    expect(events()).toHaveLength(before);
  });

  it('wait for a broker that is away, and none overtakes another of its subject', async () => {
    const stuck = await create('stuck');
    await rename(stuck.id, 'later');
    const free = await create('free');
    registry().publisher.fails = ({ name, subject }) => name === 'image.created' && subject === stuck.id;

    await expect(registry().relay.relay()).rejects.toThrow('no broker');

    expect(events().some(({ subject }) => subject === stuck.id)).toBe(false);
    expect(events().some(({ subject }) => subject === free.id)).toBe(true);
    expect(await countedAsUnsent()).toBe('2');
    registry().publisher.fails = () => false;
    await registry().relay.relay();
    expect(await countedAsUnsent()).toBe('0');
    expect(
      events()
        .filter(({ subject }) => subject === stuck.id)
        .map(({ name }) => name),
    ).toEqual(['image.created', 'image.updated']);
  });

  it('are published by one registry at a time, and by the next when that one is gone', async () => {
    const other = await startRegistryOn(url(), {}, registry().clock);
    await registry().relay.relay();
    await create('mine');

    await other.relay.relay();
    expect(other.publisher.published).toEqual([]);
    registry().clock.pass(60_000);
    await other.relay.relay();

    expect(other.publisher.names()).toEqual(['image.created']);
    await other.relay.stop();
    await other.close();
  });

  it('are forgotten some time after they were published', async () => {
    await create('old');
    await registry().relay.relay();
    registry().clock.pass(registry().config.outbox.retentionMs + 1);

    await registry().relay.relay();

    expect(await registry().rows('outbox')).toEqual([]);
  });
}
