import { snapshotStatuses } from '@glimpse/contracts';
import type { Database, SnapshotRequestRow } from '@glimpse/persistence';
import { type Command, Option } from 'commander';
import { matching } from '../filters.js';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, reportList } from '../output.js';
import { describeError, iso } from '../shown-values.js';
import { withCurrentDatabase } from '../with-services.js';

interface ListOptions extends OutputOptions {
  readonly status?: string;
  readonly project?: string;
  readonly limit: number;
}

const described = (row: SnapshotRequestRow) => ({
  request: row.request_id,
  project: row.project_id,
  instance: row.instance_id,
  image: row.image_id,
  task: row.task_id,
  status: row.status,
  came: iso(row.created_at),
  changed: iso(row.updated_at),
  error: describeError(row.error),
});

/** The requests for snapshots that match, the last changed first. */
export async function listSnapshots(database: Database, { status, project, limit }: ListOptions) {
  const { where, values } = matching({ status, project_id: project });
  const rows = await database.query<SnapshotRequestRow>(
    `SELECT * FROM snapshot_requests WHERE ${where} ORDER BY updated_at DESC LIMIT ${limit}`,
    values,
  );
  return rows.map(described);
}

/** The requests of that id, of whatever project, or the one that made the image of that id. */
export async function showSnapshots(database: Database, id: string) {
  const rows = await database.query<SnapshotRequestRow>(
    'SELECT * FROM snapshot_requests WHERE request_id = ? OR image_id = ?',
    [id, id],
  );
  if (rows.length === 0) throw new OperatorError(`there is no request for a snapshot ${id}`);
  return rows.map(described);
}

export function addSnapshots(program: Command): void {
  const snapshots = program.command('snapshots').description('requests of compute for snapshots');
  snapshots
    .command('list')
    .description('list requests, the last changed first')
    .addOption(new Option('--status <status>', 'only requests in this status').choices(snapshotStatuses))
    .option('--project <id>', 'only those of this project')
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async (options: ListOptions) => {
      const found = await withCurrentDatabase((database) => listSnapshots(database, options));
      reportList(options, found, 'No requests.');
    });
  snapshots
    .command('show')
    .description('show what became of a request')
    .argument('<id>', 'of the request, or of the image')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: OutputOptions) => {
      const found = await withCurrentDatabase((database) => showSnapshots(database, id));
      reportList(options, found, '');
    });
}
