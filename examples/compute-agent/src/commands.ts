import { AgentError } from './agent-error.js';

/** What takes commands in QEMU's JSON: its monitor (QMP), or the agent in the guest. */
export interface Commands {
  /**
   * Resolves with what the command returned, whose shape is that of QEMU's manual. Rejects with a
   * {@link CommandError} when it was refused, with an {@link AgentError} when no answer came in time.
   */
  execute<T>(command: string, options?: CommandOptions): Promise<T>;
  close(): void;
}

export interface CommandOptions {
  readonly arguments?: object;
  readonly timeoutMs?: number;
}

export const COMMAND_TIMEOUT_MS = 30_000;

/** What QEMU or the agent in the guest answers. */
export interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly id?: unknown;
}

/** A command that was refused. */
export class CommandError extends AgentError {
  constructor(
    command: string,
    readonly kind: string,
    readonly description: string,
  ) {
    super('machine', `${command}: ${description}`);
    this.name = 'CommandError';
  }
}

/** What an answer returned; throws what it refused. */
export function returnOf<T>(command: string, answer: Answer): T {
  if (answer.error !== undefined) throw new CommandError(command, answer.error.class, answer.error.desc);
  return answer.return as T;
}
