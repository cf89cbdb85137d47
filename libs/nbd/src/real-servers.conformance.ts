import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@glimpse/testing';
import { NbdClient, type NbdClientOptions } from './nbd-client.js';

const START_MS = 30_000;

/** A folder with disks, and the NBD servers of others that export them. */
export class NbdWorkshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'glimpse-nbd-'));
  private readonly servers: ChildProcess[] = [];
  private made = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  newPath(): string {
    return this.path(`${++this.made}`);
  }

  /** Runs a program to its end. */
  run(program: string, ...args: string[]): void {
    const { status, stderr, error } = spawnSync(program, args, { cwd: this.folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
  }

  /** A disk of 64 MiB with data at some places; what is between was never written. */
  disk(format: 'raw' | 'qcow2'): string {
    const path = this.newPath();
    this.run('qemu-img', 'create', '-q', '-f', format, path, '64M');
    this.write(path, format, 'write -P 17 1M 3M', 'write -P 34 40M 64k');
    return path;
  }

  write(path: string, format: string, ...commands: string[]): void {
    this.run('qemu-io', '-f', format, ...commands.flatMap((command) => ['-c', command]), path);
  }

  /** Starts a server on a local socket, whose path `argsOf` gets; resolves with the path when it listens. */
  async onSocket(
    program: string,
    argsOf: (socket: string) => string[],
  ): Promise<{ socket: string; server: ChildProcess }> {
    const socket = `${this.newPath()}.sock`;
    const server = this.spawn(program, argsOf(socket));
    await this.listening(program, server, () => existsSync(socket));
    return { socket, server };
  }

  /** Starts a server on a port of 127.0.0.1; resolves with it when `isUp` says so. */
  async onPort(
    program: string,
    argsOf: (port: number) => string[],
    isUp: (port: number) => Promise<unknown>,
  ): Promise<number> {
    const port = await freePort();
    const server = this.spawn(program, argsOf(port));
    await this.listening(program, server, async () => {
      await isUp(port);
      return true;
    });
    return port;
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map(stop));
    rmSync(this.folder, { recursive: true });
  }

  private spawn(program: string, args: string[]): ChildProcess {
    const server = spawn(program, args, { cwd: this.folder, stdio: 'ignore' });
    server.on('error', () => undefined);
    this.servers.push(server);
    return server;
  }

  private async listening(
    program: string,
    server: ChildProcess,
    isUp: () => boolean | Promise<boolean>,
  ): Promise<void> {
    await waitFor(
      `${program} to listen`,
      () => {
        if (server.pid === undefined) throw new Error(`${program} is not there`);
        return isUp();
      },
      START_MS,
    );
  }
}

/** Kills a server and waits for its end. */
export async function stop(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Lends a client of the export to `work`, and closes it. */
export async function using<T>(
  uri: string,
  options: NbdClientOptions,
  work: (client: NbdClient) => Promise<T>,
): Promise<T> {
  const client = await NbdClient.connect(uri, options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
