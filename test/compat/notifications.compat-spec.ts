import { join } from 'node:path';
import { notificationTypes } from '@glimpse/contracts';
import {
  DataServer,
  type Glimpse,
  type OwnPlace,
  createVirtualHost,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JSON_TYPE, callers } from '../e2e/callers.js';
import { PYTHON } from './client.js';

const START_TIMEOUT_MS = 60_000;

/** No call of the API reaches it, in Glance either: tasks can not be deleted, and go silently when they are too old. */
const NEVER_SENT = 'task.delete';

interface Heard {
  readonly priority: string;
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>> | string;
  readonly publisher_id: string;
  readonly metadata: { readonly message_id: string; readonly timestamp: string };
}

/** What the listener of the real library prints. */
class Listener {
  private output = '';
  private errors = '';
  private readonly child: ChildProcess;

  constructor(url: string) {
    const program = join(import.meta.dirname, 'python', 'notification_listener.py');
    const options = JSON.stringify({ url: url.replace(/^amqp:/, 'rabbit:') });
    this.child = spawn(PYTHON, [program, options], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
  }

  get heard(): Heard[] {
    const lines = this.output.split('\n').slice(1, -1);
    return lines.map((line) => JSON.parse(line) as Heard);
  }

  async isListening(): Promise<void> {
    await waitFor('the listener', () => this.output.includes('listening'), START_TIMEOUT_MS).catch(() => {
      throw new Error(`The listener does not listen: ${this.errors}`);
    });
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}

describe('the notification listener of oslo.messaging', () => {
  let place: OwnPlace;
  let glimpse: Glimpse;
  let listener: Listener;
  let web: DataServer;
  const { owner: api, consumer, admin } = callers(() => glimpse.url);
  const call = (status: number, method: string, path: string, body?: object, who = api) =>
    who.expect(
      status,
      method,
      path,
      body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) },
    );
  beforeAll(async () => {
    place = await createVirtualHost();
    // It declares the exchange and the queues itself, before Glimpse is there.
    listener = new Listener(place.url);
    await listener.isListening();
    web = await DataServer.start();
    glimpse = await startGlimpse({
      auth: 'headers',
      env: {
        GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
        GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
        GLIMPSE_NOTIFICATIONS_DRIVER: 'messagingv2',
        GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: place.url,
        GLIMPSE_NOTIFICATIONS_PUBLISHER_ID: 'image.test',
        // The listener has made what is not.
        GLIMPSE_NOTIFICATIONS_DURABLE: 'true',
      },
    });
  }, 2 * START_TIMEOUT_MS);
  afterAll(async () => {
    listener.end();
    await glimpse.stop();
    await web.close();
    await place.remove();
  }, START_TIMEOUT_MS);

  it('hears all that Ceilometer reads, with its priorities', async () => {
    const { id } = await api.create();
    await api.upload(id, Buffer.from('data'));
    await api.download(id);
    const { id: other } = await api.create({ disk_format: 'qcow2' });
    const headers = { 'content-type': 'application/octet-stream' };
    await api.expect(415, 'PUT', `/v2/images/${other}/file`, { headers, body: Buffer.from('none') });
    await api.delete(id);
    const about = (imageId: string) =>
      listener.heard.filter(({ payload }) => JSON.stringify(payload).includes(imageId));
    await waitFor('all notifications', () => about(id).length >= 8 && about(other).length >= 5, 30_000);

    const types = about(id).map(({ event_type: type }) => type);
    // What is told of downloads comes by itself, a moment later.
    expect(types.filter((type) => type !== 'image.send')).toEqual([
      'image.create',
      'image.update',
      'image.prepare',
      'image.upload',
      'image.activate',
      'image.update',
      'image.delete',
    ]);
    const sent = about(id).find(({ event_type: type }) => type === 'image.send');
    expect(sent).toMatchObject({
      priority: 'info',
      payload: { bytes_sent: 4, image_id: id, owner_id: 'owner', receiver_tenant_id: 'owner' },
    });
    const failed = about(other).find(({ priority }) => priority === 'error');
    expect(failed).toMatchObject({
      event_type: 'image.upload',
      payload: expect.stringContaining(`Failed to upload image data for image ${other}`),
    });
    const upload = about(id).find(({ event_type: type }) => type === 'image.upload');
    expect(upload).toMatchObject({ publisher_id: 'image.test', payload: { id, size: 4, owner: 'owner' } });
    expect(upload?.metadata.message_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(upload?.metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  });

  it('hears every type that there is', async () => {
    await shareAnImage();
    await importInto('active', web.serve('data', Buffer.from('data')));
    await importInto('queued', web.urlOf('none'));
    await defineMetadata();

    const missing = () => {
      const heard = new Set(listener.heard.map(({ event_type: type }) => type));
      return notificationTypes.filter((type) => !heard.has(type));
    };
    await waitFor('all types', () => missing().length <= 1, 30_000).catch(() => undefined);

    expect(missing()).toEqual([NEVER_SENT]);
    const unknown = listener.heard.filter(
      ({ event_type: type }) => !notificationTypes.some((one) => one === type),
    );
    expect(unknown).toEqual([]);
  });

  async function shareAnImage(): Promise<void> {
    const { id } = await api.create();
    const members = `/v2/images/${id}/members`;
    await call(200, 'POST', members, { member: 'consumer' });
    await call(200, 'PUT', `${members}/consumer`, { status: 'accepted' }, consumer);
    await call(204, 'DELETE', `${members}/consumer`);
  }

  async function importInto(end: 'active' | 'queued', uri: string): Promise<void> {
    const { id } = await api.create();
    await call(202, 'POST', `/v2/images/${id}/import`, { method: { name: 'web-download', uri } });
    await waitFor('the end of the import', async () => {
      const { text } = await call(200, 'GET', `/v2/images/${id}/tasks`);
      const { tasks } = JSON.parse(text) as { tasks: { status: string }[] };
      return ['success', 'failure'].includes(tasks[0]?.status ?? '');
    });
    expect(await api.show(id)).toMatchObject({ status: end });
  }

  /** A namespace with something of everything; each is changed, and deleted by itself or with its like. */
  async function defineMetadata(): Promise<void> {
    const namespaces = '/v2/metadefs/namespaces';
    const one = `${namespaces}/one`;
    const manage = (status: number, method: string, path: string, body?: object) =>
      call(status, method, path, body, admin);
    const property = { name: 'p', title: 'P', type: 'string' };
    await manage(201, 'POST', namespaces, {
      namespace: 'one',
      objects: [{ name: 'first' }],
      properties: { first: { title: 'First', type: 'string' } },
      tags: [{ name: 'first' }],
    });
    await manage(200, 'PUT', one, { namespace: 'one', description: 'd' });
    await manage(201, 'POST', `${one}/resource_types`, { name: 'OS::Nova::Flavor' });
    await manage(204, 'DELETE', `${one}/resource_types/OS::Nova::Flavor`);
    await manage(201, 'POST', `${one}/objects`, { name: 'o' });
    await manage(200, 'PUT', `${one}/objects/o`, { name: 'o', description: 'd' });
    await manage(204, 'DELETE', `${one}/objects/o`);
    await manage(201, 'POST', `${one}/properties`, property);
    await manage(200, 'PUT', `${one}/properties/p`, { ...property, title: 'Q' });
    await manage(204, 'DELETE', `${one}/properties/p`);
    await manage(201, 'POST', `${one}/tags/t`);
    await manage(200, 'PUT', `${one}/tags/t`, { name: 'u' });
    await manage(204, 'DELETE', `${one}/tags/u`);
    for (const all of ['objects', 'properties', 'tags']) await manage(204, 'DELETE', `${one}/${all}`);
    await manage(204, 'DELETE', one);
  }
});
