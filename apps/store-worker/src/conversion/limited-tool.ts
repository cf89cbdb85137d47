import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { ServiceError } from '@glimpse/contracts';

const run = promisify(execFile);

/** Characters of what a tool complains of that are kept. */
const MAX_COMPLAINT = 2_000;
/** Lower priority than that of the services. */
const NICENESS = 10;
const OPEN_FILES = 64;
/** Wall time of tools that only say whether they are there. */
const PROBE_MS = 10_000;

/** Of the service's own environment, which holds secrets, nothing. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** What a tool may take of the machine. */
export interface ToolLimits {
  /** Wall time. */
  readonly timeoutMs: number;
  readonly cpuSeconds: number;
  /** Bytes of address space. */
  readonly memoryBytes: number;
  /** Largest file that it may write; 0 for none. */
  readonly fileBytes: number;
}

export interface ToolOptions {
  readonly limits: ToolLimits;
  /** The tool's working directory. */
  readonly directory: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How a tool ended. */
export interface ToolEnd {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly timedOut: boolean;
  /** What it wrote to its standard error, cut off. */
  readonly complaint: string;
}

/** A tool at work. Whoever started it reads all of `stdout`, and waits for `ended`. */
export interface RunningTool {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. */
  readonly ended: Promise<ToolEnd>;
  /** Ends it at once. */
  kill(): void;
}

/** How a process is kept from the network, by what the machine lets us do: best first. */
const isolations: readonly (readonly string[])[] = [
  ['unshare', '--map-root-user', '--net', '--'],
  ['unshare', '--net', '--'],
];

/**
 * Runs tools on data that nobody trusts: with limits of time, memory and file size, without the service's environment, at a
 * low priority, without a network where the machine permits that, and never for longer than this process lives.
 */
export class LimitedTools {
  private isolation: Promise<readonly string[]> | undefined;

  /** Throws CONVERSION_FAILED where one of the tools is not there, with what an operator can do about it. */
  async assertInstalled(tools: readonly string[]): Promise<void> {
    for (const tool of ['prlimit', 'setpriv', 'nice', ...tools])
      try {
        await run(tool, ['--version'], { timeout: PROBE_MS, env: environment });
      } catch (error) {
        throw new ServiceError(
          'CONVERSION_FAILED',
          `The configuration switches steps of imports on that need ${tool}, which is not installed here`,
          { cause: error },
        );
      }
  }

  /** Whether tools have no network: containers often don't permit to take it from them. */
  async hasIsolation(): Promise<boolean> {
    return (await this.findIsolation()).length > 0;
  }

  async start(tool: string, args: readonly string[], options: ToolOptions): Promise<RunningTool> {
    options.signal.throwIfAborted();
    const [command, ...rest] = [
      ...limitsOf(options.limits),
      ...(await this.findIsolation()),
      // After the others: a change of credentials would undo it.
      'setpriv',
      '--pdeathsig=KILL',
      '--no-new-privs',
      '--',
      'nice',
      `--adjustment=${NICENESS}`,
      tool,
      ...args,
    ];
    const child = spawn(command ?? tool, rest, {
      cwd: options.directory,
      // A group of its own: what it starts ends with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...environment,
        LC_ALL: 'C',
        TMPDIR: options.directory,
        // Else the C library reserves much more address space than it uses, for each thread.
        MALLOC_ARENA_MAX: '2',
      },
    });
    return watch(child, options);
  }

  private findIsolation(): Promise<readonly string[]> {
    this.isolation ??= firstThatWorks();
    return this.isolation;
  }
}

const limitsOf = ({ cpuSeconds, memoryBytes, fileBytes }: ToolLimits): string[] => [
  'prlimit',
  `--cpu=${cpuSeconds}`,
  `--as=${memoryBytes}`,
  `--fsize=${fileBytes}`,
  `--nofile=${OPEN_FILES}`,
  '--core=0',
  '--',
];

async function firstThatWorks(): Promise<readonly string[]> {
  for (const isolation of isolations)
    try {
      const [command = '', ...args] = isolation;
      await run(command, [...args, 'true'], { timeout: PROBE_MS, env: environment });
      return isolation;
    } catch {
      // The next one, or none.
    }
  return [];
}

function watch(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  { limits, signal }: ToolOptions,
): RunningTool {
  let timedOut = false;
  let complaint = '';
  const kill = () => killGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, limits.timeoutMs);
  signal.addEventListener('abort', kill, { once: true });
  // A tool that ends early no longer takes what it is given: how it ended says why.
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MAX_COMPLAINT);
  });
  const ended = new Promise<ToolEnd>((resolve) => {
    child.once('error', (error) => {
      complaint = error.message;
      resolve({ code: null, killedBy: null, timedOut, complaint });
    });
    child.once('close', (code, killedBy) => resolve({ code, killedBy, timedOut, complaint }));
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  });
  return { stdin: child.stdin, stdout: child.stdout, ended, kill };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
