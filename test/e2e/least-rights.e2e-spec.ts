import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ComputeHost,
  type Glimpse,
  ImageApi,
  type OwnPlace,
  createUser,
  createVirtualHost,
  getTlsServers,
  runManage,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

interface Rights {
  readonly service: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  readonly trusts: readonly string[];
}

describe('Services with the least rights on RabbitMQ, by TLS, and MySQL by TLS', () => {
  let glimpse: Glimpse | undefined;
  let vhost: OwnPlace;
  let users: Map<string, OwnPlace>;
  const running = () => {
    if (glimpse === undefined) throw new Error('Glimpse is only there while a test runs');
    return glimpse;
  };
  const api = new ImageApi(() => running().url);

  beforeAll(async () => {
    const tls = getTlsServers();
    vhost = await createVirtualHost();
    await runManage({ GLIMPSE_BUS_URL: vhost.url }, 'bus', 'declare');
    const all = JSON.parse(await runManage({}, 'bus', 'permissions', '--json')) as Rights[];
    users = new Map();
    for (const { service, ...rights } of all) users.set(service, await createUser(vhost.url, rights));
    const nameOf = (service: string) => new URL(users.get(service)!.url).username;
    const secureUrl = (service: string) => {
      const url = new URL(users.get(service)!.url);
      return `amqps://${url.username}:${url.password}@${new URL(tls.busUrl).host}${url.pathname}`;
    };
    const envOf = Object.fromEntries(
      all.map(({ service, trusts }) => [
        service,
        { GLIMPSE_BUS_URL: secureUrl(service), GLIMPSE_BUS_TRUSTED_USERS: trusts.map(nameOf).join(',') },
      ]),
    );
    glimpse = await startGlimpse({
      mode: 'distributed',
      env: {
        GLIMPSE_BUS_DECLARE: 'false',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: tmpdir(),
        GLIMPSE_BUS_TLS_CA_FILE: tls.caFile,
        GLIMPSE_DATABASE_TLS_MODE: 'verify_ca',
        GLIMPSE_DATABASE_TLS_CA_FILE: tls.caFile,
      },
      envOf,
    });
  });
  afterAll(async () => {
    await glimpse?.stop();
    for (const user of users.values()) await user.remove();
    await vhost.remove();
  });

  it('do all they have to, up to the removal of the data by a worker', async () => {
    const { id } = await api.create();
    await api.upload(id, Buffer.from('data'));
    expect((await api.download(id)).toString()).toBe('data');
    const file = join(running().storeDir, id);
    expect(existsSync(file)).toBe(true);

    await api.delete(id);

    await waitFor('the removal', () => !existsSync(file));
    expect(running().logs).not.toContain('refused a message of the bus');
    expect(running().logs).not.toContain('ACCESS_REFUSED');
  });

  it('take a request of compute, which listens to its events, and reply at its end', async () => {
    const compute = await ComputeHost.open(users.get('compute')!.url);
    await compute.channel.bindQueue(compute.replyQueue, 'glimpse.events', 'snapshot.#');
    const disk = join(running().dataDir, 'disk');
    await writeFile(disk, 'the data of a disk');

    const reply = await compute.ask({
      request_id: randomUUID(),
      project_id: 'glimpse',
      instance_id: 'i',
      name: 'n',
      source: { uri: `file://${disk}` },
      reply: 'completed',
    });

    expect(reply).toMatchObject({ status: 'completed', error: null });
    await waitFor('an event', () => compute.replies.some(({ body }) => body['status'] === undefined));
    expect(running().logs).not.toContain('ACCESS_REFUSED');
    await compute.close();
  });

  it('announce a job to a worker at once', async () => {
    await waitFor('the event', async () => {
      const [worker] = running().running('store-worker');
      const text = await (await fetch(`${worker!.url}/metrics`)).text();
      return /glimpse_events_handled_total\{name="job\.ready",delivery="service",outcome="handled"\} [1-9]/.test(
        text,
      );
    });
  });
});
