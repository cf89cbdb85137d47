import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageApi, type OwnPlace, createVirtualHost, eachMode, waitFor } from '@glimpse/testing';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { JSON_TYPE, identity } from './callers.js';
import { NotificationReader } from './notification-reader.js';
import { webData } from './web-data.js';

const { web } = webData();
const DATA = Buffer.from('some bytes');
const places: OwnPlace[] = [];
const folders: string[] = [];

async function notifying() {
  const place = await createVirtualHost();
  places.push(place);
  const cache = await mkdtemp(join(tmpdir(), 'glimpse-cache-'));
  folders.push(cache);
  return {
    env: {
      GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2',
      GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: place.url,
      GLIMPSE_CACHE_DIR: cache,
      GLIMPSE_CACHE_STORES: 'file',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    },
  };
}

afterAll(async () => {
  for (const place of places) await place.remove();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

eachMode(
  'Notifications',
  (glimpse) => {
    const member = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    let reader: NotificationReader;
    beforeEach(async () => {
      reader = await NotificationReader.on(glimpse().env['GLIMPSE_NOTIFICATIONS_TRANSPORT_URL'] ?? '');
    });
    afterEach(() => reader.close());

    const told = (id: string, last: string) =>
      waitFor(`${last} of ${id}`, () => {
        const types = reader.typesOf(id);
        return types.at(-1) === last ? types : undefined;
      });

    it('tell what becomes of an image, as oslo.messaging does', async () => {
      const { id } = await member.create({ tags: ['a'], k: 'v' });
      await member.upload(id, DATA);
      await member.delete(id);

      expect(await told(id, 'image.delete')).toEqual([
        'image.create',
        'image.update',
        'image.prepare',
        'image.upload',
        'image.activate',
        'image.update',
        'image.delete',
      ]);
      const message = reader.seen.find(({ notification }) => notification.event_type === 'image.create');
      expect(message).toMatchObject({ exchange: 'glance', routingKey: 'notifications.info' });
      const given = Object.entries(message?.properties ?? {}).filter(([, value]) => value !== undefined);
      expect(Object.fromEntries(given)).toEqual({
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: {},
        deliveryMode: 2,
        priority: 0,
      });
      expect(message?.notification).toMatchObject({
        publisher_id: 'image.localhost',
        priority: 'INFO',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/),
        payload: { id, owner: 'p1', tags: ['a'], properties: { k: 'v' } },
      });
    });

    it('tell why an upload failed', async () => {
      const { id } = await member.create({ disk_format: 'qcow2' });
      const headers = { 'content-type': 'application/octet-stream' };
      await member.expect(415, 'PUT', `/v2/images/${id}/file`, { headers, body: DATA });

      const types = await waitFor('the failure', () => {
        const seen = reader.typesOf(id);
        return seen.includes('image.upload ERROR') && seen.length >= 5 ? seen : undefined;
      });
      // The queues of the two priorities are read beside each other.
      expect(types.filter((type) => type !== 'image.upload ERROR')).toEqual([
        'image.create',
        'image.update',
        'image.prepare',
        'image.update',
      ]);
      const failure = reader.of(id).find(({ priority }) => priority === 'ERROR');
      expect(failure?.payload).toMatch(
        new RegExp(`^Failed to upload image data for image ${id} due to internal error: `),
      );
    });

    it('tell of imports', async () => {
      web().serve('data', DATA);
      const { id } = await member.create();
      const method = { name: 'web-download', uri: web().urlOf('data') };
      const body = JSON.stringify({ method });
      await member.expect(202, 'POST', `/v2/images/${id}/import`, { headers: JSON_TYPE, body });
      await waitFor('the import', async () => (await member.show(id)).status === 'active');
      const tasks = await member.expect(200, 'GET', `/v2/images/${id}/tasks`);
      const [task] = (JSON.parse(tasks.text) as { tasks: { id: string }[] }).tasks;

      // It is the last of all.
      expect(await told(task?.id ?? '', 'task.run')).toEqual([
        'task.create',
        'task.processing',
        'task.success',
        'task.run',
      ]);
      expect(reader.typesOf(id)).toEqual([
        'image.create',
        'image.update',
        'image.prepare',
        'image.upload',
        'image.activate',
        'image.update',
        'image.update',
      ]);
    });

    it('tell of downloads, from the store, the cache and of a part', async () => {
      const { id } = await member.create();
      await member.upload(id, DATA);
      await member.download(id);
      // What was read from the store is in the cache a moment later.
      await waitFor('a download from the cache', async () => {
        await member.download(id);
        return reader
          .of(id)
          .some(({ payload }) => typeof payload !== 'string' && 'destination_ip' in payload);
      });
      const before = reader.of(id).length;
      await member.expect(206, 'GET', `/v2/images/${id}/file`, { headers: { range: 'bytes=2-4' } });

      const part = await waitFor('the part', () =>
        reader
          .of(id)
          .slice(before)
          .find(({ payload }) => typeof payload !== 'string' && payload['bytes_sent'] === 3),
      );
      const sent = {
        bytes_sent: DATA.length,
        image_id: id,
        owner_id: 'p1',
        receiver_tenant_id: 'p1',
        receiver_user_id: 'user-of-p1',
      };
      expect(part).toMatchObject({ event_type: 'image.send', priority: 'INFO' });
      expect(part.payload).toEqual({ ...sent, bytes_sent: 3 });
      const whole = reader.of(id).filter(({ event_type: type }) => type === 'image.send');
      expect(whole[0]?.payload).toEqual(sent);
      const payloads = whole.map(({ payload }) => payload);
      expect(payloads).toContainEqual({ ...sent, destination_ip: '127.0.0.1' });
    });
  },
  async () => ({ auth: 'headers' as const, ...(await notifying()) }),
);
