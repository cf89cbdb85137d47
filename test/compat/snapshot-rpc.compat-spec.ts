import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Glimpse, ImageApi, type OwnPlace, createVirtualHost, startGlimpse } from '@glimpse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runPython } from './client.js';

const PROGRAM = 'test/compat/python/oslo_snapshots.py';

describe("A service of OpenStack with oslo.messaging's RPC client", () => {
  let vhost: OwnPlace;
  let disks: string;
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);

  beforeAll(async () => {
    vhost = await createVirtualHost();
    disks = await mkdtemp(join(tmpdir(), 'glimpse-disks-'));
    glimpse = await startGlimpse({
      env: { GLIMPSE_SNAPSHOTS_BUS_URL: vhost.url, GLIMPSE_SNAPSHOTS_FILE_ROOTS: disks },
    });
  });
  afterAll(async () => {
    await glimpse.stop();
    await vhost.remove();
    await rm(disks, { recursive: true, force: true });
  });

  const run = async (...steps: object[]): Promise<Record<string, unknown>[]> => {
    const options = {
      url: vhost.url.replace(/^amqp:/, 'rabbit:'),
      driver: { amqp_durable_queues: true },
      steps,
    };
    const output = await runPython(PROGRAM, [JSON.stringify(options)], {});
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const aRequest = (uri: string, more: object = {}) => ({
    request_id: randomUUID(),
    instance_id: 'i',
    name: 'by oslo',
    source: { uri },
    ...more,
  });
  const context = { project_id: 'p', user_id: 'u' };

  it('waits in a call until the image is there, and asks and casts as well', async () => {
    const data = randomBytes(100_000);
    const path = join(disks, 'disk');
    await writeFile(path, data);
    const request = aRequest(`file://${path}`, { reply: 'completed' });
    const cast = aRequest(`file://${path}`, { name: 'by a cast' });

    const [made, asked, sent] = await run(
      { method: 'create_snapshot', args: { request }, context, timeout: 60 },
      { method: 'get_snapshot', args: { request_id: request.request_id }, context },
      { method: 'create_snapshot', args: { request: cast }, context, cast: true },
    );

    expect(made).toMatchObject({ result: { status: 'completed', size: data.length } });
    expect(asked).toEqual(made);
    expect(sent).toEqual({ cast: true });
    const { result } = made as { result: { image_id: string } };
    expect(await api.download(result.image_id)).toEqual(data);
    await expect(api.show(result.image_id)).resolves.toMatchObject({ owner: 'p', status: 'active' });
    const [known] = await run({
      method: 'create_snapshot',
      args: { request: { ...cast, reply: 'completed' } },
      context,
      timeout: 60,
    });
    expect(known).toMatchObject({ result: { status: 'completed' } });
  });

  it('gets a remote exception for what is refused, and for what came to nothing', async () => {
    const [failed, refused, unknown] = await run(
      {
        method: 'create_snapshot',
        args: { request: aRequest(`file://${disks}/nothing`, { reply: 'completed' }) },
        context,
        timeout: 60,
      },
      { method: 'create_snapshot', args: { request: aRequest('gopher://disk') }, context },
      { method: 'get_snapshot', args: { request_id: 'unknown' }, context },
    );

    expect(failed).toMatchObject({ raised: 'RemoteError', value: expect.stringMatching(/./) });
    expect(refused).toMatchObject({ raised: 'RemoteError', exc_type: 'RequestInvalid' });
    expect(unknown).toMatchObject({ raised: 'RemoteError', exc_type: 'SnapshotNotFound' });
  });
});
