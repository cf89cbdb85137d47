import { afterEach, describe, expect, it } from '@jest/globals';
import type { HealthChecks } from './health.js';
import { startHealthServer } from './health-server.js';

describe('startHealthServer', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(() => close?.());

  async function start(checks: HealthChecks) {
    const server = await startHealthServer({ host: '127.0.0.1', port: 0, checks });
    close = () => server.close(0);
    return async (path: string) => {
      const response = await fetch(`${server.url}${path}`);
      return { status: response.status, text: await response.text() };
    };
  }

  const works = () => Promise.resolve();
  const fails = () => Promise.reject(new Error('no way to mysql://root:secret@db/glance'));

  it('is ready when every check passes', async () => {
    const get = await start({ database: works, bus: works });

    expect(await get('/readyz')).toEqual({
      status: 200,
      text: JSON.stringify({ status: 'ready', checks: { database: 'ok', bus: 'ok' } }),
    });
    expect(await get('/healthcheck')).toEqual({ status: 200, text: 'OK' });
  });

  it('names the check that fails, without credentials, and is alive all the same', async () => {
    const get = await start({ database: fails, bus: works });

    const answer = await get('/readyz');

    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toEqual({
      status: 'not ready',
      checks: { database: 'no way to mysql://***@db/glance', bus: 'ok' },
    });
    expect((await get('/healthcheck')).status).toBe(503);
    expect((await get('/livez')).status).toBe(200);
  });

  it('shows the metrics of the process', async () => {
    const get = await start({});

    expect((await get('/metrics')).status).toBe(200);
  });

  it('says which port is taken', async () => {
    const server = await startHealthServer({ host: '127.0.0.1', port: 0, checks: {} });
    close = () => server.close(0);
    const port = Number(new URL(server.url).port);

    await expect(startHealthServer({ host: '127.0.0.1', port, checks: {} })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port,
    });
  });
});
