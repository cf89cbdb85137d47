import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const MAX_LOG_LINES = 2_000;
const START_TIMEOUT_MS = 150_000;

/** A process of a service, spawned from what was built. */
export class ServiceProcess {
  /** Where it listens; set once {@link start} has resolved. */
  url = '';
  private readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(
    readonly name: string,
    main: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = once(this.child, 'exit');
  }

  /** Starts `main` and waits for the log line that says where it listens. Rejects with its log when it ends before. */
  static async start(name: string, main: string, env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
    const service = new ServiceProcess(name, main, env);
    try {
      service.url = await service.listening();
    } catch (error) {
      await service.kill('SIGKILL');
      throw new Error(`${name} did not start:\n${service.log}`, { cause: error });
    }
    return service;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} has no process`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** The last lines that it wrote. */
  get log(): string {
    return this.lines.join('\n');
  }

  /** Sends the signal and waits for the end of the process. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    if (this.isRunning) await this.exited;
  }

  /** Ends it as a supervisor would: SIGTERM, then SIGKILL after `timeoutMs` milliseconds. */
  async stop(timeoutMs: number): Promise<void> {
    const killer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    await this.kill('SIGTERM');
    clearTimeout(killer);
  }

  private listening(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no word of listening')), START_TIMEOUT_MS);
      const receive = (text: string) => {
        this.keep(text);
        const url = listeningUrl(text);
        if (url !== undefined) resolve(url);
      };
      for (const stream of [this.child.stdout, this.child.stderr])
        if (stream !== null) createInterface({ input: stream }).on('line', receive);
      void this.exited.then(() => reject(new Error(`ended with code ${this.child.exitCode}`)), reject);
      void this.exited.finally(() => clearTimeout(timer)).catch(() => undefined);
    });
  }

  private keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > MAX_LOG_LINES) this.lines.shift();
  }
}

function listeningUrl(text: string): string | undefined {
  if (!text.includes('"listening"')) return undefined;
  const line = JSON.parse(text) as { msg?: string; url?: string };
  return line.msg === 'listening' ? (line.url ?? '') : undefined;
}
