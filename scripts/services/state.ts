import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessRecord } from './processes.js';
import { isTrueWithin } from './waiting.js';

export const root = join(import.meta.dirname, '..', '..');

/** Everything that the servers keep is in here. */
export const servicesDir = join(root, '.glimpse', 'services');

export interface Ports {
  readonly amqp: number;
  readonly amqps: number;
  readonly management: number;
  readonly erlang: number;
  readonly epmd: number;
  readonly mysql: number;
}

export interface State {
  readonly kind: 'docker' | 'packages';
  readonly ports: Ports;
  /** By name; empty with Docker, which keeps account of its containers itself. */
  readonly processes: Readonly<Record<string, ProcessRecord>>;
}

/** A file that says what of some servers runs. Whoever dies while it is written leaves the one before. */
export class StateFile<S> {
  constructor(private readonly path: string) {}

  /** Undefined where there is none that can be read. */
  read(): S | undefined {
    try {
      return JSON.parse(readFileSync(this.path, 'utf8')) as S;
    } catch {
      return undefined;
    }
  }

  write(state: S): void {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(`${this.path}.new`, this.path);
  }
}

/** What runs of RabbitMQ and MySQL. */
export const servicesState = new StateFile<State>(join(servicesDir, 'services.json'));

const LOCK_TIMEOUT_MS = 300_000;

function tryLock(lockFile: string): boolean {
  try {
    const descriptor = openSync(lockFile, 'wx');
    writeFileSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch {
    const holder = Number(readFileSync(lockFile, 'utf8'));
    if (holder > 0 && !isRunning(holder)) rmSync(lockFile, { force: true });
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Runs `work` while no other run of this script does. A lock whose holder is dead is taken over. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(servicesDir, { recursive: true });
  const lockFile = join(servicesDir, 'lock');
  if (!(await isTrueWithin(LOCK_TIMEOUT_MS, () => tryLock(lockFile))))
    throw new Error(`another run of this script holds ${lockFile}`);
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}
