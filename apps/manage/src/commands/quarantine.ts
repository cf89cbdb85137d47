import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { type Chosen, chooseFromQuarantine, listQuarantine, sweepQuarantine } from '../quarantine.js';
import { withCurrentDatabase } from '../with-services.js';

interface ListOptions extends OutputOptions {
  readonly store?: string;
  readonly limit: number;
}
interface SweepOptions extends OutputOptions {
  readonly timeoutSeconds: number;
}
interface DeleteOptions extends SweepOptions {
  readonly olderThanDays?: number;
}

const DAY_MS = 86_400_000;

/** Has it done, and says so; throws where something is left that should not be. */
async function sweep(wanted: 'put-back' | 'discard', chosen: Chosen, options: SweepOptions): Promise<void> {
  await withCurrentDatabase(async (database) => {
    const marked = await chooseFromQuarantine(database, wanted, chosen);
    const { runs, left } = await sweepQuarantine(database, marked, options.timeoutSeconds * 1000);
    const failed = runs.find(({ status }) => status === 'failed');
    if (failed !== undefined) throw new OperatorError(`${failed.storeId}: ${failed.error?.message}`);
    const putBack = runs.reduce((sum, run) => sum + (run.report?.putBack ?? 0), 0);
    const discarded = runs.reduce((sum, run) => sum + (run.report?.discarded.objects ?? 0), 0);
    report(options, { putBack, discarded, left }, `Put back ${putBack}, removed ${discarded}.`);
    if (left.length > 0)
      throw new OperatorError(
        `still set aside: ${left.join(', ')}; something else lies in its place, or is being written there`,
      );
  });
}

export function addQuarantine(program: Command): void {
  const quarantine = program.command('quarantine').description('data that `reconcile --repair` set aside');
  quarantine
    .command('list')
    .description('list it, the oldest first')
    .option('--store <id>', 'only of this store')
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async ({ store, limit, ...options }: ListOptions) => {
      const filter = { limit, ...(store === undefined ? {} : { storeId: store }) };
      const found = await withCurrentDatabase((database) => listQuarantine(database, filter));
      reportList(options, found, 'Nothing is set aside.');
    });
  quarantine
    .command('restore')
    .description('put it back where it was')
    .argument('<ids...>', 'as `quarantine list` shows them')
    .option('--timeout-seconds <n>', 'wait this long for the store-workers', wholeNumber(1), 3600)
    .option('--json', 'answer in JSON')
    .action((ids: string[], options: SweepOptions) => sweep('put-back', { ids }, options));
  quarantine
    .command('delete')
    .description('remove it for good; what an image refers to by now is put back instead')
    .argument('[ids...]', 'as `quarantine list` shows them')
    .option('--older-than-days <n>', 'everything that was set aside longer ago', wholeNumber(0))
    .option('--timeout-seconds <n>', 'wait this long for the store-workers', wholeNumber(1), 3600)
    .option('--json', 'answer in JSON')
    .action((ids: string[], { olderThanDays, ...options }: DeleteOptions) => {
      if ((olderThanDays === undefined) === (ids.length === 0))
        throw new OperatorError('name what to remove, or say --older-than-days');
      const chosen = olderThanDays === undefined ? { ids } : { olderThanMs: olderThanDays * DAY_MS };
      return sweep('discard', chosen, options);
    });
}
