import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { endOfLog } from './logs.js';
import { isTrueWithin } from './waiting.js';

/** A process as it can be found again: the start time tells it from a later one with the same number. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
}

/**
 * Whether it has ended, and clock ticks from boot to its start (fields 3 and 22 of /proc/<pid>/stat); undefined when
 * there is no such process.
 */
function statOf(pid: number): { hasEnded: boolean; startTime: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { hasEnded: state === 'Z', startTime: fields[18] };
  } catch {
    return undefined;
  }
}

export function isAlive(record: ProcessRecord | undefined): record is ProcessRecord {
  if (record === undefined) return false;
  const stat = statOf(record.pid);
  return stat?.hasEnded === false && stat.startTime === record.startTime;
}

/** Starts a server in its own process group, to stay when this script ends; its output goes to `logFile`. */
export function startServer(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; logFile: string },
): ProcessRecord {
  const log = openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.once('exit', (code, signal) => {
    writeSync(log, `${command} ended ${signal === null ? `with ${code}` : `by ${signal}`}\n`);
    closeSync(log);
  });
  // A program that can't be started has no pid, which is looked at below.
  child.once('error', () => closeSync(log));
  child.unref();
  const startTime = child.pid === undefined ? undefined : statOf(child.pid)?.startTime;
  if (child.pid === undefined || startTime === undefined)
    throw new Error(`${command} did not start; ${endOfLog(options.logFile)}`);
  return { pid: child.pid, startTime };
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** Ends a server that {@link startServer} started, with all of its group: SIGTERM, then SIGKILL after `timeoutMs`. */
export async function stopServer(record: ProcessRecord | undefined, timeoutMs: number): Promise<void> {
  if (!isAlive(record)) return;
  const isGone = () => !signalGroup(record.pid, 0);
  signalGroup(record.pid, 'SIGTERM');
  if (await isTrueWithin(timeoutMs, isGone)) return;
  signalGroup(record.pid, 'SIGKILL');
  await isTrueWithin(5_000, isGone);
}

/** Ends a server as a crash would, with all of its group. */
export async function killServer(record: ProcessRecord | undefined): Promise<void> {
  if (!isAlive(record)) return;
  signalGroup(record.pid, 'SIGKILL');
  await isTrueWithin(5_000, () => !signalGroup(record.pid, 0));
}
