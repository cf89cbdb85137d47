import { ConfigError } from '@glimpse/config';
import { redactCredentials } from '@glimpse/observability';
import { CommanderError } from 'commander';
import { createProgram } from './program.js';

const FAILED = 1;
const BAD_USAGE = 2;

/** Says what went wrong, in a line where the operator can do something about it, and answers with the exit code. */
function explain(error: unknown): number {
  // Commander has said it already, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  process.stderr.write(`glimpse-manage: ${redactCredentials(message + cause)}\n`);
  return error instanceof ConfigError ? BAD_USAGE : FAILED;
}

process.title = 'glimpse-manage';
try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
