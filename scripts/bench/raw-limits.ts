import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';

const MIB = 1 << 20;

/** MiB a second that one core hashes. */
export function hashSpeed(algorithm: string, mebibytes = 256): number {
  const piece = randomBytes(MIB);
  const hash = createHash(algorithm);
  const start = performance.now();
  for (let n = 0; n < mebibytes; n++) hash.update(piece);
  hash.digest();
  return mebibytes / ((performance.now() - start) / 1000);
}

/** MiB a second that the disk under `folder` takes, in pieces of 1 MiB, synced at the end. */
export async function diskSpeed(folder: string, mebibytes = 1024): Promise<number> {
  const path = join(folder, 'disk-speed');
  const piece = randomBytes(MIB);
  const handle = await open(path, 'w');
  const start = performance.now();
  try {
    for (let n = 0; n < mebibytes; n++) await handle.write(piece, 0, MIB, n * MIB);
    await handle.datasync();
    return mebibytes / ((performance.now() - start) / 1000);
  } finally {
    await handle.close();
    await rm(path);
  }
}

/** Starts the plain Node server of raw-server.mjs over `folder`. */
export async function startRawServer(folder: string): Promise<{ url: string; pid: number; stop(): void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'raw-server.mjs'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, 'line')) as [string];
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, stop: () => void child.kill('SIGKILL') };
}
