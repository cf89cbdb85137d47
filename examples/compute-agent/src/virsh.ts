import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AgentError, textOf } from './agent-error.js';
import { type Answer, COMMAND_TIMEOUT_MS, type CommandOptions, type Commands, returnOf } from './commands.js';

const run = promisify(execFile);

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** A domain of libvirt. */
export interface Domain {
  readonly name: string;
  /** `-c` of virsh, e.g. `qemu:///system`; libvirt's default without. */
  readonly connection?: string;
}

async function virsh(domain: Domain, args: readonly string[], timeoutMs: number): Promise<string> {
  const connection = domain.connection === undefined ? [] : ['-c', domain.connection];
  try {
    const options = { timeout: timeoutMs, maxBuffer: MAX_ANSWER_BYTES };
    const { stdout } = await run('virsh', [...connection, ...args], options);
    return stdout;
  } catch (error) {
    throw new AgentError('machine', `virsh ${args[0]}: ${textOf(error).trim()}`, { cause: error });
  }
}

/** The monitor of a domain, whose socket is libvirt's own. */
export class VirshMonitor implements Commands {
  constructor(private readonly domain: Domain) {}

  async execute<T>(command: string, options: CommandOptions = {}): Promise<T> {
    const document = JSON.stringify({ execute: command, arguments: options.arguments });
    const args = ['qemu-monitor-command', this.domain.name, document];
    const answer = await virsh(this.domain, args, options.timeoutMs ?? COMMAND_TIMEOUT_MS);
    return returnOf(command, JSON.parse(answer) as Answer);
  }

  close(): void {
    // Each command is a process of its own.
  }
}

/** The agent in the guest of a domain. */
export class VirshGuestAgent implements Commands {
  private constructor(private readonly domain: Domain) {}

  /** Rejects when no agent answers within `timeoutMs`. */
  static async connect(domain: Domain, timeoutMs: number): Promise<VirshGuestAgent> {
    const agent = new VirshGuestAgent(domain);
    await agent.execute('guest-ping', { timeoutMs });
    return agent;
  }

  async execute<T>(command: string, options: CommandOptions = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS;
    const document = JSON.stringify({ execute: command, arguments: options.arguments });
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1_000)));
    const args = ['qemu-agent-command', '--timeout', seconds, this.domain.name, document];
    // libvirt's own limit comes first, so that the agent is not left with a half-read command.
    return returnOf(command, JSON.parse(await virsh(this.domain, args, timeoutMs + 5_000)) as Answer);
  }

  close(): void {
    // Each command is a process of its own.
  }
}
