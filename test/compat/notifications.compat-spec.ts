import { join } from 'node:path';
import {
  type Glimpse,
  ImageApi,
  type OwnPlace,
  createVirtualHost,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PYTHON } from './client.js';

const START_TIMEOUT_MS = 60_000;

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
  beforeAll(async () => {
    place = await createVirtualHost();
    // It declares the exchange and the queues itself, before Glimpse is there.
    listener = new Listener(place.url);
    await listener.isListening();
    glimpse = await startGlimpse({
      env: {
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
    await place.remove();
  }, START_TIMEOUT_MS);

  it('hears all that Ceilometer reads, with its priorities', async () => {
    const api = new ImageApi(() => glimpse.url);
    const { id } = await api.create();
    await api.upload(id, Buffer.from('data'));
    await api.download(id);
    const { id: other } = await api.create({ disk_format: 'qcow2' });
    const headers = { 'content-type': 'application/octet-stream' };
    await api.expect(415, 'PUT', `/v2/images/${other}/file`, { headers, body: Buffer.from('none') });
    await api.delete(id);
    const of = (imageId: string) =>
      listener.heard.filter(({ payload }) => JSON.stringify(payload).includes(imageId));
    await waitFor('all notifications', () => of(id).length >= 8 && of(other).length >= 5, 30_000);

    const types = of(id).map(({ event_type: type }) => type);
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
    const sent = of(id).find(({ event_type: type }) => type === 'image.send');
    expect(sent).toMatchObject({
      priority: 'info',
      payload: { bytes_sent: 4, image_id: id, owner_id: 'glimpse', receiver_tenant_id: 'glimpse' },
    });
    const failed = of(other).find(({ priority }) => priority === 'error');
    expect(failed).toMatchObject({
      event_type: 'image.upload',
      payload: expect.stringContaining(`Failed to upload image data for image ${other}`),
    });
    const upload = of(id).find(({ event_type: type }) => type === 'image.upload');
    expect(upload).toMatchObject({ publisher_id: 'image.test', payload: { id, size: 4, owner: 'glimpse' } });
    expect(upload?.metadata.message_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(upload?.metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  });
});
