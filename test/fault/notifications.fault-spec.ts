import {
  type Glimpse,
  ImageApi,
  type OwnPlace,
  createVirtualHost,
  cutConnections,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotificationReader } from '../e2e/notification-reader.js';

const START_TIMEOUT_MS = 60_000;
const IMAGES = 20;

describe('notifications', () => {
  let place: OwnPlace;
  let glimpse: Glimpse;
  beforeAll(async () => {
    place = await createVirtualHost();
    glimpse = await startGlimpse({
      env: {
        GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2',
        GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: place.url,
        GLIMPSE_NOTIFICATIONS_DURABLE: 'true',
        GLIMPSE_LEASES_INSTANCE_LEASE_MS: '2000',
      },
    });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await glimpse.stop();
    await place.remove();
  }, START_TIMEOUT_MS);

  it('all arrive, in the order of each image, when the broker is cut off and the registry is killed', async () => {
    const api = new ImageApi(() => glimpse.url);
    await (await NotificationReader.on(place.url)).close();
    const ids: string[] = [];
    for (let number = 0; number < IMAGES; number += 1) {
      if (number % 7 === 3) await cutConnections(place.url);
      if (number === IMAGES / 2) {
        await glimpse.kill('registry');
        await glimpse.start('registry');
        await glimpse.ready();
      }
      const { id } = await api.create();
      await api.upload(id, Buffer.from('data'));
      ids.push(id);
    }
    await glimpse.kill('registry');
    await glimpse.start('registry');

    const reader = await NotificationReader.on(place.url);
    try {
      await waitFor('all notifications', () => ids.every((id) => reader.typesOf(id).length === 6), 60_000);
      for (const id of ids)
        expect(reader.typesOf(id)).toEqual([
          'image.create',
          'image.update',
          'image.prepare',
          'image.upload',
          'image.activate',
          'image.update',
        ]);
    } finally {
      await reader.close();
    }
  });
});
