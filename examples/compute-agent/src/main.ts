#!/usr/bin/env node
import { AgentError, exitCodes, textOf } from './agent-error.js';
import { cleanUp, findTags } from './clean-up.js';
import { CommandError } from './commands.js';
import { getDisk } from './disk.js';
import { openGuestAgent, openMonitor } from './machine.js';
import { type MachineOptions, type SnapshotOptions, parseInvocation, usage } from './options.js';
import { thawLeftFrozen } from './quiesce.js';
import { type Report, Snapshot } from './snapshot.js';

const say = (text: string) => process.stderr.write(`${text}\n`);
const tell = (text: string) => process.stdout.write(`${text}\n`);

/** Whoever reads what is said may be gone: the machine is to be left clean all the same. */
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** A signal ends the work at the next moment at which nothing stands still. */
function onSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => controller.abort(new AgentError('interrupted', `Ended by ${signal}`)));
  return controller.signal;
}

function describe(report: Report): string {
  const lines = Object.entries(report)
    .filter(([, value]) => value !== null && !Array.isArray(value))
    .map(([name, value]) =>
      typeof value === 'object'
        ? `${name}: ${JSON.stringify(value)}`
        : `${`${name}:`.padEnd(16)}${String(value)}`,
    );
  return [...lines, ...report.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

async function snapshot(options: SnapshotOptions): Promise<number> {
  const report = await Snapshot.take(options, onSignals(), say);
  tell(options.isJson ? JSON.stringify(report) : describe(report));
  return report.status === 'completed' ? exitCodes.completed : exitCodes.refused;
}

/** Thaws a guest that was left frozen, where there is an agent in it; resolves with why that failed. */
async function thawGuest(machine: MachineOptions['machine']): Promise<string[]> {
  const agent = await openGuestAgent(machine).catch(() => undefined);
  try {
    if (agent !== undefined && (await thawLeftFrozen(agent))) say('The guest was frozen: thawed');
    return [];
  } catch (error) {
    return error instanceof CommandError ? [] : [textOf(error)];
  } finally {
    agent?.close();
  }
}

async function clean(options: MachineOptions): Promise<number> {
  const monitor = await openMonitor(options.machine);
  try {
    const disk = await getDisk(monitor, options.disk);
    const tags = [...(await findTags(monitor, disk))];
    const failures: string[] = [];
    // First of all: whatever was left is from a run that may have been killed while the guest was frozen.
    if (tags.length > 0) failures.push(...(await thawGuest(options.machine)));
    for (const tag of tags) failures.push(...(await cleanUp(monitor, { tag, disk, isDone: false }, true)));
    const text = tags.length === 0 ? 'There was nothing to remove' : `Removed: ${tags.join(', ')}`;
    tell(options.isJson ? JSON.stringify({ removed: tags, failures }) : [text, ...failures].join('\n'));
    return failures.length === 0 ? exitCodes.completed : exitCodes.machine;
  } finally {
    monitor.close();
  }
}

async function run(): Promise<number> {
  const invocation = parseInvocation(process.argv.slice(2), process.env);
  if (invocation.command === 'snapshot') return snapshot(invocation.options);
  if (invocation.command === 'clean') return clean(invocation.options);
  tell(usage);
  return exitCodes.completed;
}

try {
  process.exitCode = await run();
} catch (error) {
  const outcome = error instanceof AgentError ? error.outcome : 'machine';
  say(textOf(error));
  if (outcome === 'usage') say('compute-agent --help says more');
  process.exitCode = exitCodes[outcome];
}
