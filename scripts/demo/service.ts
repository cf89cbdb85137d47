import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '@glimpse/config';
import { parseLogLine } from '../log-lines.js';
import { root } from '../services/state.js';

export interface DemoService {
  readonly url: string;
  readonly isOurs: boolean;
  end(): Promise<void>;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthcheck`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** A service in one process that is there until it is ended, with more of its configuration in `env`. */
export async function startOwn(env: Readonly<Record<string, string>> = {}): Promise<DemoService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'glimpse-demo-'));
  const child = spawn(process.execPath, [join(root, 'dist/apps/embedded/src/main.js')], {
    env: {
      PATH: process.env['PATH'],
      GLIMPSE_DATA_DIR: dataDir,
      GLIMPSE_PORT: '0',
      GLIMPSE_REGISTRY_PORT: '0',
      GLIMPSE_STORE_WORKER_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const end = async () => {
    child.kill();
    await exited;
    rmSync(dataDir, { recursive: true });
  };
  const url = await new Promise<string | undefined>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parseLogLine(text);
      if (line?.msg === 'listening') resolve(line.url);
    });
    void exited.then(() => resolve(undefined));
  });
  if (url === undefined) {
    await end();
    throw new Error('The service did not start, see above');
  }
  return { url, isOurs: true, end };
}

/** The service that runs at the configured address, else one that is started for the demo alone. */
export async function findOrStartService(): Promise<DemoService> {
  const { host, port } = loadConfig();
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (port !== 0 && (await answers(url))) return { url, isOurs: false, end: () => Promise.resolve() };
  return startOwn();
}
