import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, ServiceProcess, startGlimpse } from '@glimpse/testing';

const embedded = join(process.cwd(), 'dist', 'apps', 'embedded', 'src', 'main.js');

describe('The processes', () => {
  let glimpse: Glimpse | undefined;
  afterEach(async () => {
    await glimpse?.stop();
    glimpse = undefined;
  });

  const titleOf = ({ pid }: ServiceProcess) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();

  it('have the names that an operator looks for', async () => {
    glimpse = await startGlimpse({ mode: 'distributed' });

    const titles = (['api-gateway', 'registry', 'store-worker'] as const)
      .flatMap((service) => glimpse!.running(service))
      .map(titleOf);

    expect(titles).toEqual(['glimpse-api', 'glimpse-registry', 'glimpse-store-worker']);
  });

  it('end by themselves, without an error, when they are told to', async () => {
    glimpse = await startGlimpse({ mode: 'distributed' });
    const services = ['api-gateway', 'store-worker', 'registry'] as const;
    const processes = services.flatMap((service) => glimpse!.running(service));

    for (const service of services) await glimpse.kill(service, 'SIGTERM');

    expect(processes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });

  it('go on with one of each when one of each is killed', async () => {
    glimpse = await startGlimpse({ mode: 'distributed', replicas: 2 });
    const api = new ImageApi(() => glimpse!.url);
    const { id } = await api.create();

    for (const service of ['api-gateway', 'registry', 'store-worker'] as const) await glimpse.kill(service);
    await api.upload(id, Buffer.from('still here'));

    expect((await api.download(id)).toString()).toBe('still here');
  });

  it('keep everything over a restart', async () => {
    glimpse = await startGlimpse();
    const api = new ImageApi(() => glimpse!.url);
    const { id } = await api.create({ name: 'kept' });
    await api.upload(id, Buffer.from('data'));

    await glimpse.kill('embedded', 'SIGTERM');
    await glimpse.start('embedded');

    expect(await api.show(id)).toMatchObject({ name: 'kept', status: 'active' });
    expect((await api.download(id)).toString()).toBe('data');
  });

  it('say in one sentence that a port is taken', async () => {
    glimpse = await startGlimpse();
    const env = { ...glimpse.env, GLIMPSE_PORT: new URL(glimpse.url).port };

    await expect(ServiceProcess.start('second', embedded, env)).rejects.toThrow(/Port \d+ on \S+ is taken/);
  });

  it('name the option that is wrong', async () => {
    const env = { GLIMPSE_AUTH: 'perhaps', GLIMPSE_NONSENSE: '1' };

    await expect(ServiceProcess.start('wrong', embedded, env)).rejects.toThrow(
      /GLIMPSE_NONSENSE: no such option[\s\S]*auth: /,
    );
  });

  it('refuse to run alone where no other service can reach them', async () => {
    const registry = join(process.cwd(), 'dist', 'apps', 'registry', 'src', 'main.js');

    await expect(ServiceProcess.start('alone', registry, { GLIMPSE_BUS_URL: 'memory:' })).rejects.toThrow(
      /needs RabbitMQ/,
    );
  });

  it('refuse a store with a wrong option as they do every wrong configuration', async () => {
    const env = { GLIMPSE_STORES: '{a: {type: file, datadirr: /srv}}' };

    await expect(ServiceProcess.start('wrong', embedded, env)).rejects.toMatchObject({
      message: expect.stringContaining('stores.a.datadirr: no such option'),
      cause: { message: 'ended with code 2' },
    });
  });
});
