import { setTimeout as delay } from 'node:timers/promises';
import { AgentError } from './agent-error.js';
import type { Commands } from './commands.js';

const POLL_MS = 50;
const JOB_TIMEOUT_MS = 60_000;

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
}

/** The jobs of the machine. */
export const jobsOf = (monitor: Commands) => monitor.execute<readonly Job[]>('query-jobs');

/** Polls until `isTrue`; throws naming `what` when it is not within a minute. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + JOB_TIMEOUT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new AgentError('machine', `QEMU did not finish in time: ${what}`);
    await delay(POLL_MS);
  }
}

/** Creates something by a job of QEMU's (`blockdev-create`); resolves when it is there. */
export async function create(monitor: Commands, jobId: string, options: object): Promise<void> {
  await monitor.execute('blockdev-create', { arguments: { 'job-id': jobId, options } });
  let ended: Job | undefined;
  await until(jobId, async () => {
    ended = (await jobsOf(monitor)).find(({ id, status }) => id === jobId && status === 'concluded');
    return ended !== undefined;
  });
  await monitor.execute('job-dismiss', { arguments: { id: jobId } });
  if (ended?.error !== undefined)
    throw new AgentError('machine', `QEMU could not create the scratch file: ${ended.error}`);
}
