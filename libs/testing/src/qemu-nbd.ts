import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { waitFor } from './wait-for.js';

const START_MS = 30_000;

/** What is exported, and how. */
export interface QemuNbdOptions {
  readonly file: string;
  readonly format: 'raw' | 'qcow2';
  /** The local socket to listen on. */
  readonly socket: string;
  /** A bitmap of a qcow2 file that clients may ask for. */
  readonly bitmap?: string;
  /** Clients at once; default 8. */
  readonly shared?: number;
}

/** A real NBD server that exports a disk, read only, and that a test can kill and start again. */
export class QemuNbd {
  private server: ChildProcess | undefined;

  constructor(private readonly options: QemuNbdOptions) {}

  /** The URI that it is reached by. */
  get uri(): string {
    return `nbd+unix:///?socket=${this.socket}`;
  }

  /** The local socket that it listens on. */
  get socket(): string {
    return this.options.socket;
  }

  /** Resolves when it listens. Rejects where it ends in place of that, with what it said. */
  async start(): Promise<void> {
    const { file, format, socket, bitmap, shared = 8 } = this.options;
    rmSync(socket, { force: true });
    const asked = bitmap === undefined ? [] : ['--bitmap', bitmap];
    const server = spawn(
      'qemu-nbd',
      [
        '--read-only',
        '--persistent',
        '--shared',
        `${shared}`,
        '--format',
        format,
        '--socket',
        socket,
        ...asked,
        file,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaint = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    server.on('error', (error) => (complaint += error.message));
    this.server = server;
    const hasEnded = () => server.exitCode !== null || server.signalCode !== null || server.pid === undefined;
    await waitFor('qemu-nbd to listen', () => existsSync(socket) || hasEnded(), START_MS);
    if (hasEnded()) throw new Error(`qemu-nbd ended: ${complaint}`);
  }

  /** Ends it as a crash would. Resolves when it is gone, and so is its socket. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined || server.exitCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
    rmSync(this.options.socket, { force: true });
  }
}
