import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { freePort } from './ports.js';
import { startServer } from './processes.js';
import { waitUntilUp } from './starting.js';

describe('A server that does not start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-starting-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const logFile = join(folder, 'log');

  it('is told of with what ended, what is closed and the end of its log, at once', async () => {
    const server = startServer('sh', ['-c', 'echo "no room" >&2; exit 3'], {
      cwd: folder,
      env: process.env,
      logFile,
    });
    const port = await freePort(0);

    const failure = waitUntilUp({
      name: 'It',
      timeoutMs: 600_000,
      isUp: () => Promise.reject(new Error('refused', { cause: new Error('closed') })),
      processes: { main: server },
      ports: { http: port },
      logs: [logFile],
    });

    await expect(failure).rejects.toThrow(
      new RegExp(
        `^It does not answer after \\d+ s: refused \\(closed\\)\nprocesses that have ended: main\nports that are closed: ${port} \\(http\\)\nthe end of .*log:\n +no room`,
      ),
    );
  });

  it('is told of when its time is over', async () => {
    const missing = join(folder, 'missing');

    await expect(
      waitUntilUp({ name: 'It', timeoutMs: 1, isUp: () => false, logs: [missing] }),
    ).rejects.toThrow(/not yet\n.*missing can not be read: ENOENT/);
  });
});
