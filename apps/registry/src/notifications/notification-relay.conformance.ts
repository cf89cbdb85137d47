import { randomUUID } from 'node:crypto';
import { type SentData, ServiceError } from '@glimpse/contracts';
import { renderMetrics } from '@glimpse/observability';
import { expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  startRegistryOn,
} from '../registry-harness.conformance.js';
import { notificationsEnvironment } from './notifications.conformance.js';

const aDownload = (imageId: string, more: Partial<SentData> = {}): SentData => ({
  id: randomUUID(),
  imageId,
  ownerId: 'p1',
  receiverProjectId: 'p2',
  receiverUserId: 'u2',
  bytesSent: 3,
  isComplete: true,
  destinationIp: null,
  sentAt: '2026-01-02T03:04:05.000Z',
  ...more,
});

/** That notifications arrive, in order, whatever happens to the broker and the registries. */
export function describeNotificationRelay(registry: () => RegistryUnderTest, url: () => string): void {
  const create = (name: string) => registry().images.create(aCaller(), aNewImage({ name }));
  const rename = (id: string, value: string) =>
    registry().images.update(aCaller(), id, [{ target: 'attribute', op: 'set', name: 'name', value }]);
  const relay = () => registry().notificationRelay.relay();
  const sentOf = (id: string) =>
    registry()
      .outlet.sent.filter(({ subject }) => subject === id)
      .map((row) => row.event_type);
  const held = () => registry().rows('notifications', 'sent_at IS NULL AND held_until IS NOT NULL');
  const counted = async (name: string) =>
    Number(new RegExp(`^${name} (\\d+)`, 'm').exec((await renderMetrics()).body)?.[1]);

  it('waits for a broker that is away, with pauses, and keeps the order of each image', async () => {
    const { id } = await create('waiting');
    await rename(id, 'later');
    registry().outlet.fails = () => true;
    registry().outlet.isReady = false;

    await relay();

    expect(await counted('glimpse_notifications_waiting')).toBe(2);
    registry().outlet.fails = () => false;
    registry().outlet.isReady = true;
    await relay();
    expect(sentOf(id)).toEqual([]);
    registry().clock.pass(10_000);
    await relay();
    expect(sentOf(id)).toEqual(['image.create', 'image.update']);
    expect(await counted('glimpse_notifications_waiting')).toBe(0);
  });

  it('lets one that is not taken hold up nothing but what follows it on its image', async () => {
    const stuck = await create('stuck');
    await rename(stuck.id, 'later');
    const free = await create('free');
    registry().outlet.fails = ({ subject }) => subject === stuck.id;
    registry().clock.pass(10_000);

    await relay();
    await rename(free.id, 'at once');
    await relay();

    expect(sentOf(stuck.id)).toEqual([]);
    expect(sentOf(free.id)).toEqual(['image.create', 'image.update']);
    expect(await counted('glimpse_notifications_waiting')).toBe(2);
    expect(await counted('glimpse_notifications_held')).toBe(1);
    registry().outlet.fails = () => false;
    await relay();
    expect(sentOf(stuck.id)).toEqual([]);
    registry().clock.pass(10_000);
    await relay();
    expect(sentOf(stuck.id)).toEqual(['image.create', 'image.update']);
    expect(await counted('glimpse_notifications_waiting')).toBe(0);
  });

  it('sends all others where more can not be sent than go in one go', async () => {
    const stuck: string[] = [];
    for (let count = 0; count < registry().config.notifications.batchSize + 1; count += 1)
      stuck.push((await create('stuck')).id);
    const { id } = await create('free');
    registry().outlet.fails = ({ subject }) => stuck.includes(subject);

    await relay();

    expect(sentOf(id)).toEqual(['image.create']);
    expect(await held()).toHaveLength(stuck.length);
    registry().outlet.fails = () => false;
    // Some of them each time.
    for (let turn = 0; turn < 10; turn += 1) {
      registry().clock.pass(10_000);
      await relay();
    }
    expect(await held()).toEqual([]);
  });

  it('is not stopped by one that the broker ends the connection for', async () => {
    const poison = await create('poison');
    const others = [await create('beside it'), await create('beside it too')];
    const { outlet } = registry();
    outlet.fails = ({ subject }) => {
      if (subject === poison.id) outlet.isReady = false;
      return !outlet.isReady;
    };
    const turn = async () => {
      await relay();
      outlet.isReady = true;
      registry().clock.pass(10_000);
    };

    for (let count = 0; count < 3; count += 1) await turn();

    expect(others.flatMap(({ id }) => sentOf(id))).toEqual(['image.create', 'image.create']);
    expect(await held()).toMatchObject([{ subject: poison.id, attempts: 3 }]);
    const later = await create('later');
    await turn();
    expect(sentOf(later.id)).toEqual(['image.create']);
    outlet.fails = () => false;
    registry().clock.pass(10_000);
    await relay();
    expect(sentOf(poison.id)).toEqual(['image.create']);
  });

  it('drops what will never be taken, and sends those behind it', async () => {
    const large = await create('large');
    await rename(large.id, 'small');
    registry().outlet.fails = ({ subject, event_type: type }) =>
      subject === large.id &&
      type === 'image.create' &&
      new ServiceError('REQUEST_INVALID', 'The notification is too large for the bus');

    await relay();

    expect(sentOf(large.id)).toEqual(['image.update']);
    expect(await counted('glimpse_notifications_waiting')).toBe(0);
  });

  it('goes on in another registry when this one is gone', async () => {
    const other = await startRegistryOn(url(), notificationsEnvironment, registry().clock);
    await relay();
    const { id } = await create('mine');

    await other.notificationRelay.relay();
    expect(other.outlet.sent).toEqual([]);
    registry().clock.pass(60_000);
    await other.notificationRelay.relay();

    expect(other.outlet.sent.map(({ subject }) => subject)).toEqual([id]);
    await other.notificationRelay.stop();
    await other.close();
  });

  it('gives up what could not be sent for too long, and forgets what was sent', async () => {
    const { id } = await create('old');
    registry().outlet.fails = () => true;
    await relay();
    registry().clock.pass(registry().config.notifications.maxAgeMs + 1);

    await relay();

    registry().outlet.fails = () => false;
    expect(await registry().rows('notifications')).toEqual([]);
    registry().clock.pass(60_000);
    await relay();
    expect(sentOf(id)).toEqual([]);
    await create('new');
    await relay();
    registry().clock.pass(registry().config.notifications.retentionMs + 1);
    await relay();
    expect(await registry().rows('notifications')).toEqual([]);
  });

  it('gives up after as many attempts as there are to be, and sends those behind', async () => {
    const impatient = await startRegistryOn(
      url(),
      { ...notificationsEnvironment, GLIMPSE_NOTIFICATIONS_RETRY: '1' },
      registry().clock,
    );
    registry().clock.pass(60_000);
    const { id } = await impatient.images.create(aCaller(), aNewImage({}));
    await impatient.tags.add(aCaller(), id, 'one');
    impatient.outlet.fails = ({ event_type: type }) => type === 'image.create';

    await impatient.notificationRelay.relay();
    expect(impatient.outlet.sent).toEqual([]);
    registry().clock.pass(2_000);
    await impatient.notificationRelay.relay();

    expect(impatient.outlet.sent.map((row) => row.event_type)).toEqual(['image.update']);
    await impatient.notificationRelay.stop();
    await impatient.close();
  });

  it('tells each download once, however often a gateway tells it', async () => {
    const { id } = await create('sent');
    const whole = aDownload(id);
    const broken = aDownload(id, { isComplete: false, bytesSent: 1, destinationIp: '192.0.2.7' });
    registry().clock.pass(60_000);

    await registry().sentData.note([whole]);
    await registry().sentData.note([whole, broken]);
    await relay();

    const rows = registry().outlet.sent.filter((row) => row.event_type === 'image.send');
    expect(rows.map(({ message_id: messageId }) => messageId)).toEqual([whole.id, broken.id]);
    expect(rows.map(({ priority, payload }) => [priority, JSON.parse(payload)])).toEqual([
      [
        'INFO',
        { bytes_sent: 3, image_id: id, owner_id: 'p1', receiver_tenant_id: 'p2', receiver_user_id: 'u2' },
      ],
      [
        'ERROR',
        {
          bytes_sent: 1,
          image_id: id,
          owner_id: 'p1',
          receiver_tenant_id: 'p2',
          receiver_user_id: 'u2',
          destination_ip: '192.0.2.7',
        },
      ],
    ]);
  });

  it('leaves what others wrote where nobody is notified here, until it is too old', async () => {
    const { id } = await create('left');
    const silent = await startRegistryOn(url(), {}, registry().clock);
    await silent.images.create(aCaller(), aNewImage({}));
    const unsent = () => registry().rows('notifications', 'sent_at IS NULL');

    registry().clock.pass(60_000);
    await silent.notificationRelay.relay();
    expect(await unsent()).toMatchObject([{ subject: id }]);
    await relay();
    expect(sentOf(id)).toEqual(['image.create']);

    await create('too old');
    registry().clock.pass(silent.config.notifications.maxAgeMs + 1);
    await silent.notificationRelay.relay();
    expect(await registry().rows('notifications')).toEqual([]);
    await silent.close();
  });
}
