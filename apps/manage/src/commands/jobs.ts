import { jobKinds, jobStatuses } from '@glimpse/contracts';
import type { Database, JobRow } from '@glimpse/persistence';
import { type Command, Option } from 'commander';
import { matching } from '../filters.js';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { describeError, iso } from '../shown-values.js';
import { withCurrentDatabase } from '../with-services.js';

interface ListOptions extends OutputOptions {
  readonly status?: string;
  readonly kind?: string;
  readonly limit: number;
}

/** The jobs that match, the last changed first. */
export async function listJobs(database: Database, { status, kind, limit }: ListOptions) {
  const { where, values } = matching({ status, kind });
  const rows = await database.query<JobRow>(
    `SELECT id, kind, status, image_id, attempt, due_at, lease_owner, last_error, updated_at FROM jobs
      WHERE ${where} ORDER BY updated_at DESC LIMIT ${limit}`,
    values,
  );
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    status: row.status,
    image: row.image_id,
    attempt: row.attempt,
    due: row.status === 'queued' ? iso(row.due_at) : null,
    worker: row.lease_owner,
    changed: iso(row.updated_at),
    error: describeError(row.last_error),
  }));
}

/** Makes a job that failed, or waits for its next attempt, due now. */
export async function retryJob(database: Database, id: string): Promise<void> {
  const now = Date.now();
  const matched = await database.unitOfWork.run((tx) =>
    tx.execute(
      `UPDATE jobs SET attempt = CASE status WHEN 'failed' THEN 0 ELSE attempt END,
              status = 'queued', due_at = ?, updated_at = ?
        WHERE id = ? AND (status = 'queued' OR (status = 'failed' AND kind <> 'import'))`,
      [now, now, id],
    ),
  );
  if (matched === 1) return;
  const [job] = await database.query<JobRow>('SELECT status, kind FROM jobs WHERE id = ?', [id]);
  // Its image was given back: another import of it, or an upload, may be under way.
  if (job?.kind === 'import' && job.status === 'failed')
    throw new OperatorError(`job ${id} is an import that ended: it is repeated by another request for it`);
  throw new OperatorError(
    job === undefined
      ? `there is no job ${id}`
      : `job ${id} is ${job.status}; only failed and queued jobs are retried`,
  );
}

export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('background work on image data');
  jobs
    .command('list')
    .description('list jobs, the last changed first')
    .addOption(new Option('--status <status>', 'only jobs in this status').choices(jobStatuses))
    .addOption(new Option('--kind <kind>', 'only jobs of this kind').choices(jobKinds))
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async (options: ListOptions) => {
      const found = await withCurrentDatabase((database) => listJobs(database, options));
      reportList(options, found, 'No jobs.');
    });
  jobs
    .command('retry')
    .description('make a job that failed, or waits for its next attempt, due now')
    .argument('<id>', 'as `jobs list` shows it')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: OutputOptions) => {
      await withCurrentDatabase((database) => retryJob(database, id));
      report(options, { id }, `Job ${id} is due now.`);
    });
}
