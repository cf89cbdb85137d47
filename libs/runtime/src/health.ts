import { redactCredentials } from '@glimpse/observability';
import { isDoneWithin } from './shutdown.js';

/** Resolves when the thing works and rejects with the reason when it does not. */
export type HealthCheck = () => Promise<unknown>;

export type HealthChecks = Readonly<Record<string, HealthCheck>>;

export interface Readiness {
  readonly isReady: boolean;
  /** By the check's name: `ok`, or the reason why not, without credentials. */
  readonly checks: Readonly<Record<string, string>>;
}

async function outcomeOf(check: HealthCheck, timeoutMs: number): Promise<string> {
  try {
    return (await isDoneWithin(check(), timeoutMs)) ? 'ok' : `no answer within ${timeoutMs} ms`;
  } catch (error) {
    return redactCredentials(error instanceof Error ? error.message : String(error));
  }
}

/** Runs all checks at once; one that takes longer than `timeoutMs` milliseconds counts as failed. Never rejects. */
export async function checkReadiness(checks: HealthChecks, timeoutMs = 2_000): Promise<Readiness> {
  const outcomes = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check, timeoutMs)] as const),
  );
  return {
    isReady: outcomes.every(([, outcome]) => outcome === 'ok'),
    checks: Object.fromEntries(outcomes),
  };
}
