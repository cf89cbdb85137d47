import type { Command } from 'commander';
import { type OutputOptions, report } from '../output.js';
import { withDatabase } from '../with-services.js';

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description("bring the database's schema up to this release; adopts a database of Glance's")
    .option('--json', 'answer in JSON')
    .action(async (options: OutputOptions) => {
      const migrations = await withDatabase((database) => database.migrate());
      const sentence =
        migrations.length === 0 ? 'The schema is up to date.' : `Applied ${migrations.join(', ')}.`;
      report(options, { migrations }, sentence);
    });
}
