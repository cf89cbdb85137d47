import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AgentError } from './agent-error.js';
import { CommandError, type Commands } from './commands.js';
import { whileFrozen } from './quiesce.js';

/** The agent of a guest of which only its being frozen is looked at. */
class StandInAgent implements Commands {
  isFrozen = false;
  readonly commands: string[] = [];

  /** `refusals` are thrown by the commands of that name, one after the other. */
  constructor(private readonly refusals: Readonly<Record<string, Error[]>> = {}) {}

  execute<T>(command: string): Promise<T> {
    this.commands.push(command);
    const refusal = this.refusals[command]?.shift();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (command === 'guest-fsfreeze-freeze') this.isFrozen = true;
    if (command === 'guest-fsfreeze-thaw') this.isFrozen = false;
    return Promise.resolve((this.isFrozen ? 'frozen' : 'thawed') as T);
  }

  close(): void {
    // Nothing is open.
  }
}

const preferred = { timeoutMs: 1_000, isRequired: false };
const required = { timeoutMs: 1_000, isRequired: true };
const unsupported = (command: string) => new CommandError(command, 'CommandNotFound', 'has been disabled');

describe('whileFrozen', () => {
  it('works in a guest that stands still, and thaws it', async () => {
    const agent = new StandInAgent();

    const { result, frozenMs } = await whileFrozen(agent, required, () => Promise.resolve(agent.isFrozen));

    expect(result).toBe(true);
    expect(frozenMs).toBeGreaterThanOrEqual(0);
    expect(agent.isFrozen).toBe(false);
  });

  it('thaws it when the work fails', async () => {
    const agent = new StandInAgent();

    const work = whileFrozen(agent, preferred, () => Promise.reject(new Error('no transaction')));

    await expect(work).rejects.toThrow('no transaction');
    expect(agent.isFrozen).toBe(false);
  });

  it('thaws it when the work takes too long', async () => {
    const agent = new StandInAgent();

    const work = whileFrozen(agent, { timeoutMs: 20, isRequired: false }, () =>
      delay(60_000, undefined, { ref: false }),
    );

    await expect(work).rejects.toThrow('frozen for 20 ms');
    expect(agent.isFrozen).toBe(false);
  });

  it('thaws again when thawing fails', async () => {
    const agent = new StandInAgent({ 'guest-fsfreeze-thaw': [new AgentError('machine', 'no answer')] });

    await whileFrozen(agent, required, () => Promise.resolve());

    expect(agent.isFrozen).toBe(false);
    expect(agent.commands.filter((command) => command === 'guest-fsfreeze-thaw')).toHaveLength(2);
  });

  it('thaws a guest whose freezing was answered too late', async () => {
    const agent = new StandInAgent({ 'guest-fsfreeze-freeze': [new AgentError('machine', 'no answer')] });
    agent.isFrozen = true;

    await expect(whileFrozen(agent, preferred, () => Promise.resolve())).rejects.toThrow('no answer');

    expect(agent.isFrozen).toBe(false);
  });

  it('thaws first what an earlier run has left frozen', async () => {
    const agent = new StandInAgent();
    agent.isFrozen = true;

    await whileFrozen(agent, required, () => Promise.resolve());

    expect(agent.commands.indexOf('guest-fsfreeze-thaw')).toBeLessThan(
      agent.commands.indexOf('guest-fsfreeze-freeze'),
    );
    expect(agent.isFrozen).toBe(false);
  });

  it('goes on without where the guest knows no freezing, unless it must', async () => {
    const refusals = () => ({ 'guest-fsfreeze-status': [unsupported('guest-fsfreeze-status')] });

    const { frozenMs } = await whileFrozen(new StandInAgent(refusals()), preferred, () => Promise.resolve());
    const must = whileFrozen(new StandInAgent(refusals()), required, () => Promise.resolve());

    expect(frozenMs).toBeUndefined();
    await expect(must).rejects.toThrow('The guest was not frozen');
    expect((await whileFrozen(undefined, preferred, () => Promise.resolve(1))).result).toBe(1);
  });
});
