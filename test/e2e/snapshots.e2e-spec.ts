import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshotEvents } from '@glimpse/contracts';
import {
  ComputeHost,
  ImageApi,
  Keystone,
  type OwnPlace,
  createVirtualHost,
  eachMode,
  requestsAreTaken,
  waitFor,
} from '@glimpse/testing';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProgressListener } from './progress-listener.js';

const END_TIMEOUT_MS = 60_000;

interface Cloud {
  readonly vhost: OwnPlace;
  readonly disks: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A RabbitMQ of compute, which is another than that of the services, and a directory that both sides see. */
async function createCloud(): Promise<Cloud> {
  const vhost = await createVirtualHost();
  const disks = await mkdtemp(join(tmpdir(), 'glimpse-disks-'));
  return { vhost, disks, env: { GLIMPSE_SNAPSHOTS_BUS_URL: vhost.url, GLIMPSE_SNAPSHOTS_FILE_ROOTS: disks } };
}

/** Resolves when requests are taken; the exchange is made by the first gateway that is there. */
async function openCompute(vhost: OwnPlace): Promise<ComputeHost> {
  await requestsAreTaken(vhost.url);
  return ComputeHost.open(vhost.url);
}

const clouds: Cloud[] = [];
const aCloud = async () => {
  const cloud = await createCloud();
  clouds.push(cloud);
  return cloud;
};
afterAll(async () => {
  for (const { vhost, disks } of clouds) {
    await vhost.remove();
    await rm(disks, { recursive: true, force: true });
  }
});

let current: Cloud;

eachMode(
  'Snapshots over the queue',
  (glimpse, mode) => {
    const api = new ImageApi(() => glimpse().url);
    let compute: ComputeHost;
    beforeEach(async () => {
      compute = await openCompute(current.vhost);
    });
    afterEach(() => compute.close());

    const aDisk = async (data: Buffer = randomBytes(300_000)) => {
      const path = join(current.disks, randomUUID());
      await writeFile(path, data);
      return { data, uri: `file://${path}` };
    };
    const aRequest = (uri: string, more: object = {}) => ({
      schema_version: '1.0',
      request_id: randomUUID(),
      project_id: 'glimpse',
      instance_id: randomUUID(),
      name: 'a snapshot',
      source: { uri, format: 'raw' },
      ...more,
    });
    const imagesNamed = (name: string) => api.list(`limit=100&name=${name}`);

    it('becomes an image with the same data, and compute is told when it is there', async () => {
      const { data, uri } = await aDisk();
      const request = aRequest(uri, { reply: 'completed', properties: { hw_disk_bus: 'virtio' } });

      const correlationId = await compute.send(request);

      const reply = await compute.replyTo(correlationId, END_TIMEOUT_MS);
      expect(reply).toMatchObject({
        status: 'completed',
        request_id: request.request_id,
        size: data.length,
        error: null,
      });
      const id = String(reply['image_id']);
      expect(await api.download(id)).toEqual(data);
      await expect(api.show(id)).resolves.toMatchObject({
        status: 'active',
        image_type: 'snapshot',
        instance_uuid: request.instance_id,
        hw_disk_bus: 'virtio',
      });
      // The end is known by now: the same message again is told at once.
      await expect(compute.ask(request)).resolves.toEqual(reply);
    });

    it('makes one image of ten messages with the same id over two connections', async () => {
      const other = await openCompute(current.vhost);
      const request = aRequest((await aDisk()).uri, { name: randomUUID() });

      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? compute : other).ask(request)),
      );
      await other.close();

      expect(new Set(replies.map((reply) => reply['image_id'])).size).toBe(1);
      expect(replies.map((reply) => reply['status'])).not.toContain('rejected');
      await expect(imagesNamed(request.name)).resolves.toHaveLength(1);
    });

    it('refuses what was cancelled before it came, and another content under the same id', async () => {
      const { uri } = await aDisk();
      const request = aRequest(uri);
      const cancel = { type: 'snapshot.cancel', request_id: request.request_id, project_id: 'glimpse' };
      await expect(compute.ask(cancel)).resolves.toMatchObject({ status: 'cancelled' });

      await expect(compute.ask(request)).resolves.toMatchObject({ status: 'cancelled', image_id: null });

      const second = aRequest(uri);
      await compute.ask(second);
      await expect(compute.ask({ ...second, name: 'another' })).resolves.toMatchObject({
        status: 'rejected',
        error: { code: 'SNAPSHOT_REQUEST_CONFLICT' },
      });
    });

    it('carries out the good ones between broken ones, and keeps those for the operator', async () => {
      const request = aRequest((await aDisk()).uri);

      const broken = await compute.send('{"request_id": "broken", "source": {}}');
      await compute.send('no JSON at all');
      await compute.send({ request_id: 'secret', auth: { token: 't' }, source: {} });
      const reply = await compute.ask(request);

      expect(reply).toMatchObject({ status: 'accepted' });
      await expect(compute.replyTo(broken)).resolves.toMatchObject({
        status: 'rejected',
        request_id: 'broken',
        error: { code: 'REQUEST_INVALID', message: expect.stringContaining('instance_id') },
      });
      const letters = async () =>
        (
          JSON.parse(await glimpse().manage('dead-letters', 'list', '--json')) as {
            id: string;
            queue: string;
            not_replayable: string | null;
          }[]
        ).filter(({ queue }) => queue === 'glimpse.snapshots.requests');
      await waitFor('the dead letters', async () => (await letters()).length >= 3);
      const secret = (await letters()).find((letter) => letter.not_replayable?.includes('auth') === true);
      await expect(glimpse().manage('dead-letters', 'replay', secret?.id ?? '')).rejects.toMatchObject({
        stdout: expect.stringContaining('is not put back: Not kept as it was sent'),
        stderr: expect.stringContaining('1 of them were not put back'),
      });
    });

    it('tells why nothing came of it, and takes the image back', async () => {
      const request = aRequest(`file://${current.disks}/nothing-here`, { reply: 'completed' });

      const reply = await compute.replyTo(await compute.send(request), END_TIMEOUT_MS);

      expect(reply).toMatchObject({ status: 'failed', error: { message: expect.any(String) } });
      await api.expect(404, 'GET', `/v2/images/${String(reply['image_id'])}`);
    });

    // Embedded, events do not leave the process.
    if (mode === 'distributed')
      it('tells whoever listens to the events how far it has come', async () => {
        const progress = await ProgressListener.on(glimpse().env['GLIMPSE_BUS_URL'] ?? '');
        // A disk that is waited for, so that the snapshot goes on until somebody ends it.
        const request = aRequest(`nbd+unix:///disk?socket=${current.disks}/not-yet.sock`);
        const { image_id: imageId, task_id: taskId } = await compute.ask(request);

        const told = await progress.expect(
          ({ image_id: id, attempt }) => id === imageId && Number(attempt) > 0,
        );

        expect(snapshotEvents.progress.payload.parse(told)).toEqual({
          request_id: request.request_id,
          project_id: 'glimpse',
          instance_id: request.instance_id,
          image_id: imageId,
          task_id: taskId,
          phase: expect.stringMatching(/^(?:waiting|downloading)$/),
          bytes_done: 0,
          bytes_total: null,
          bytes_per_second: null,
          attempt: 1,
        });
        await progress.close();
        const cancel = { type: 'snapshot.cancel', request_id: request.request_id, project_id: 'glimpse' };
        await expect(compute.ask(cancel)).resolves.toMatchObject({ status: 'cancelled' });
      });

    it('loses none when the gateway is killed with them in its hands', async () => {
      const { uri } = await aDisk(randomBytes(1_000));
      const name = randomUUID();
      const requests = Array.from({ length: 30 }, () => aRequest(uri, { name }));
      const sent = requests.map((request) => compute.send(request));
      await Promise.race(sent);

      await glimpse().kill('api-gateway');
      await Promise.all(sent);
      await glimpse().start('api-gateway');
      await glimpse().ready();

      for (const correlationId of await Promise.all(sent))
        await expect(compute.replyTo(correlationId)).resolves.toMatchObject({ error: null });
      await expect(imagesNamed(name)).resolves.toHaveLength(30);
    });
  },
  async () => {
    current = await aCloud();
    return { env: current.env };
  },
);

describe('Snapshots by a token of Keystone', () => {
  const keystone = Keystone.fromEnvironment();
  let cloud: Cloud;

  eachMode(
    'whoever publishes them',
    (glimpse) => {
      let compute: ComputeHost;
      beforeEach(async () => {
        compute = await openCompute(cloud.vhost);
      });
      afterEach(() => compute.close());

      it('belong to the project of the token; one that is not valid gets nothing, and nothing tells it', async () => {
        const project = await keystone.createProject();
        const user = await keystone.createUser([{ roles: ['member'], on: { project } }]);
        const [token, revoked] = [
          await keystone.projectToken(user, project),
          await keystone.projectToken(user, project),
        ];
        await keystone.revoke(revoked);
        const path = join(cloud.disks, 'disk');
        await writeFile(path, 'data');
        const ask = (auth: object, more: object = {}) =>
          compute.ask({
            request_id: randomUUID(),
            instance_id: 'i',
            name: 'n',
            source: { uri: `file://${path}` },
            ...auth,
            ...more,
          });

        await expect(ask({ auth: { token } })).resolves.toMatchObject({ status: 'accepted' });
        await expect(ask({ auth: { token } }, { project_id: project.id })).resolves.toMatchObject({
          status: 'accepted',
        });
        await expect(ask({ auth: { token } }, { project_id: 'another' })).resolves.toMatchObject({
          error: { code: 'ACTION_FORBIDDEN' },
        });
        for (const auth of [{}, { auth: { token: revoked } }, { auth: { token: 'wrong\nheader' } }])
          await expect(ask(auth, { project_id: project.id })).resolves.toMatchObject({
            status: 'rejected',
            error: { code: 'IDENTITY_REFUSED' },
          });
        const broken = await compute.send({ request_id: 'broken', auth: { token } });
        await expect(compute.replyTo(broken)).resolves.toMatchObject({ status: 'rejected' });
        const letters = await glimpse().manage('dead-letters', 'list', '--json');
        expect(letters).toContain('instance_id');
        for (const secret of [token, revoked]) {
          expect(letters).not.toContain(secret);
          expect(glimpse().logs).not.toContain(secret);
        }
      });
    },
    async () => {
      cloud = await aCloud();
      const { auth, env } = await keystone.glimpseOptions(cloud.env);
      return { auth, env };
    },
  );
});
