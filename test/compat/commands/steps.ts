import { runClient } from '../client.js';

/** One command as a user types it, and what they expect of it. */
export interface Step {
  /** As the client's help names it, e.g. `image-create` or `image add project`. */
  readonly command: string;
  /** What follows the command; a function where it depends on what earlier steps have kept. */
  readonly args?: readonly string[] | (() => readonly string[]);
  /** What the output must show. */
  readonly shows?: RegExp | (() => RegExp);
  /** The command must fail with this. */
  readonly fails?: RegExp;
  /** Takes what later steps need. */
  readonly keep?: (output: string) => void;
}

export interface Outcome {
  readonly command: string;
  readonly outcome: string;
}

/** Runs the steps in their order; the first that goes otherwise than expected rejects, with what was printed. */
export async function runSteps(
  steps: readonly Step[],
  run: (args: readonly string[]) => Promise<string>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push({ command: step.command, outcome: await runStep(step, run) });
  return outcomes;
}

async function runStep(step: Step, run: (args: readonly string[]) => Promise<string>): Promise<string> {
  const args = [
    ...step.command.split(' '),
    ...(typeof step.args === 'function' ? step.args() : (step.args ?? [])),
  ];
  const failure = step.fails;
  if (failure !== undefined) {
    const error = await run(args).then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error) || !failure.test(error.message))
      throw new Error(`${args.join(' ')}: expected ${failure}`, { cause: error });
    return `refused: ${failure.exec(error.message)?.[0]}`;
  }
  const output = await run(args);
  const shown = typeof step.shows === 'function' ? step.shows() : step.shows;
  if (shown !== undefined && !shown.test(output))
    throw new Error(`${args.join(' ')}: expected ${shown}, but it printed\n${output}`);
  step.keep?.(output);
  return 'ok';
}

/** The subcommands that the installed client offers, in its own words. */
export async function offeredCommands(home: string, program: 'glance' | 'openstack'): Promise<string[]> {
  if (program === 'glance') {
    const help = await runClient(home, 'glance', ['help']);
    const names = [...help.matchAll(/^ {4}([a-z][a-z-]+)/gm)].map(([, name]) => name!);
    return names.filter((name) => name !== 'help' && name !== 'bash-completion');
  }
  const groups = await Promise.all(
    ['image', 'cached image'].map((group) =>
      // A group that this version does not have is answered with a failure.
      runClient(home, 'openstack', [...group.split(' '), '--help']).catch(() => ''),
    ),
  );
  return groups.flatMap((help) =>
    [...help.matchAll(/^ {2}((?:cached )?image [a-z ]+)$/gm)].map(([, name]) => name!),
  );
}
