import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { type OutputOptions, report } from '../output.js';
import { type PurgeLimits, purgeChildren, purgeImages } from '../purge.js';
import { withCurrentDatabase } from '../with-services.js';

type PurgeOptions = PurgeLimits & OutputOptions;

const withLimits = (command: Command, days: number): Command =>
  command
    .option('--older-than-days <n>', 'only what was deleted longer ago', wholeNumber(0), days)
    .option('--max-rows <n>', 'rows of each table at most, -1 for any number', wholeNumber(-1), 100)
    .option('--json', 'answer in JSON');

export function addPurge(program: Command): void {
  const purge = withLimits(
    program
      .command('purge')
      .description(
        "delete for good what belonged to deleted images, deleted tasks and jobs that are done; not the images' own rows",
      ),
    30,
  ).action(async (options: PurgeOptions) => {
    const purged = await withCurrentDatabase((database) => purgeChildren(database, options));
    const counts = Object.entries(purged).map(([table, rows]) => `${table} ${rows}`);
    report(options, { purged }, `Purged ${counts.join(', ')}.`);
  });
  withLimits(
    purge
      .command('images')
      .description(
        'delete the rows of deleted images for good; afterwards anybody may create images with their ids',
      ),
    180,
  ).action(async (options: PurgeOptions) => {
    const images = await withCurrentDatabase((database) => purgeImages(database, options));
    report(options, { purged: { images } }, `Purged images ${images}.`);
  });
}
