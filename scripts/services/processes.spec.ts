import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isAlive, killServer, startServer, stopServer } from './processes.js';
import { isTrueWithin } from './waiting.js';

describe('A server that was started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-processes-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (command: string, ...args: string[]) =>
    startServer(command, args, { cwd: folder, env: process.env, logFile: join(folder, 'log') });

  it('is alive until it is stopped', async () => {
    const server = start('sleep', '60');
    expect(isAlive(server)).toBe(true);

    await stopServer(server, 5_000);

    expect(isAlive(server)).toBe(false);
  });

  it('is killed when it does not listen to reason', async () => {
    const server = start('sh', '-c', 'trap "" TERM; touch ready; while :; do sleep 1; done');
    await isTrueWithin(5_000, () => existsSync(join(folder, 'ready')));

    await stopServer(server, 50);

    expect(isAlive(server)).toBe(false);
  });

  it('can be killed as by a crash', async () => {
    const server = start('sh', '-c', 'trap "touch warned" TERM; sleep 60');

    await killServer(server);

    expect(isAlive(server)).toBe(false);
    expect(existsSync(join(folder, 'warned'))).toBe(false);
  });

  it('is not mistaken for a later process with its number', async () => {
    const server = start('sleep', '60');

    expect(isAlive({ ...server, startTime: '1' })).toBe(false);

    await stopServer(server, 5_000);
  });

  it('can not be one that does not exist', () => {
    expect(() => start(join(folder, 'missing'))).toThrow(/did not start/);
  });
});
