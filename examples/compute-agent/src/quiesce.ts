import { setTimeout as delay } from 'node:timers/promises';
import { AgentError, textOf } from './agent-error.js';
import { CommandError, type Commands } from './commands.js';

const THAW_TRIES = 10;
const THAW_TIMEOUT_MS = 5_000;
const THAW_PAUSE_MS = 500;

export interface Freeze {
  /** How long the freezing may take, and how long what is done meanwhile may. */
  readonly timeoutMs: number;
  /** A guest that can't be frozen makes the snapshot fail, not just less consistent. */
  readonly isRequired: boolean;
}

/** Result of what was done while the guest's file systems stood still, if they did. */
export interface Quiesced<T> {
  readonly result: T;
  /** Milliseconds from the freeze to the thaw; undefined where the guest was not frozen. */
  readonly frozenMs: number | undefined;
}

async function isFrozen(agent: Commands): Promise<boolean> {
  return (await agent.execute<string>('guest-fsfreeze-status', { timeoutMs: THAW_TIMEOUT_MS })) === 'frozen';
}

/** Thaws the guest however often it takes; throws when it can't, which is the worst that can happen to it. */
async function thaw(agent: Commands): Promise<void> {
  let cause: unknown;
  for (let tries = 0; tries < THAW_TRIES; tries += 1) {
    try {
      await agent.execute('guest-fsfreeze-thaw', { timeoutMs: THAW_TIMEOUT_MS });
      if (!(await isFrozen(agent))) return;
    } catch (error) {
      cause = error;
    }
    await delay(THAW_PAUSE_MS);
  }
  throw new AgentError(
    'machine',
    `THE GUEST MAY BE FROZEN: thawing it failed ${THAW_TRIES} times (${textOf(cause)})`,
    { cause },
  );
}

/** Thaws a guest that a run which was killed at the wrong moment has left frozen; whether it was. */
export async function thawLeftFrozen(agent: Commands): Promise<boolean> {
  const wasFrozen = await isFrozen(agent);
  if (wasFrozen) await thaw(agent);
  return wasFrozen;
}

async function freezeGuest(agent: Commands, timeoutMs: number): Promise<void> {
  // One that can't say how it stands can't be frozen either.
  await thawLeftFrozen(agent);
  try {
    await agent.execute('guest-fsfreeze-freeze', { timeoutMs });
  } catch (error) {
    // It may have been frozen after all, only too late.
    await thaw(agent);
    throw error;
  }
}

async function tryToFreeze(agent: Commands, { timeoutMs, isRequired }: Freeze): Promise<boolean> {
  try {
    await freezeGuest(agent, timeoutMs);
    return true;
  } catch (error) {
    if (!isRequired && error instanceof CommandError) return false;
    throw new AgentError('machine', `The guest was not frozen: ${textOf(error)}`, { cause: error });
  }
}

/**
 * Does `work` while the file systems of the guest are frozen, and thaws them whatever came of it. `work` is to be done
 * in `freeze.timeoutMs`; what takes longer goes on in a guest that writes again, and is refused.
 */
export async function whileFrozen<T>(
  agent: Commands | undefined,
  freeze: Freeze,
  work: () => Promise<T>,
): Promise<Quiesced<T>> {
  if (agent === undefined || !(await tryToFreeze(agent, freeze)))
    return { result: await work(), frozenMs: undefined };
  const start = performance.now();
  const timer = new AbortController();
  try {
    const tooLong = delay(freeze.timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new AgentError('machine', `The guest was frozen for ${freeze.timeoutMs} ms: thawed again`);
    });
    const result = await Promise.race([work(), tooLong]);
    return { result, frozenMs: Math.round(performance.now() - start) };
  } finally {
    timer.abort();
    await thaw(agent);
  }
}
