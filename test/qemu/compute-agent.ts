import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../scripts/services/state.js';

export interface AgentRun {
  readonly onLine?: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

export interface AgentEnd {
  readonly code: number | null;
  /** What it reported. */
  readonly output: string;
  readonly log: string;
}

/** Options of its command line. */
export const optionsOf = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);

/** How Node runs a TypeScript source of this working copy. */
export const typescriptOptions = [
  '--experimental-transform-types',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'scripts', 'typescript.mjs'),
];

/** The compute agent of the examples while it runs, straight from its source. */
export class ComputeAgent {
  /** What it has said so far, a line each. */
  readonly log: string[] = [];
  private readonly child;
  private readonly closed: Promise<unknown>;
  private output = '';

  constructor(args: readonly string[], { onLine, env }: AgentRun = {}) {
    const script = join(root, 'examples', 'compute-agent', 'src', 'main.ts');
    this.child = spawn(process.execPath, [...typescriptOptions, script, ...args], {
      env: { PATH: process.env['PATH'], GLIMPSE_TEST_RUN: process.env['GLIMPSE_TEST_RUN'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.closed = once(this.child, 'close');
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    let rest = '';
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.log.push(line);
        onLine?.(line);
      }
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when it has ended; without a code where a signal ended it. */
  async end(): Promise<AgentEnd> {
    await this.closed;
    return { code: this.child.exitCode, output: this.output, log: this.log.join('\n') };
  }
}
