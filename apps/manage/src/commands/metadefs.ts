import { basename } from 'node:path';
import type { Database } from '@glimpse/persistence';
import type { Command } from 'commander';
import { defaultDefinitions } from '../metadefs/default-definitions.js';
import { definitionFiles, readDefinition } from '../metadefs/definition-files.js';
import { exportDefinitions } from '../metadefs/export-definitions.js';
import { type LoadMode, type LoadOutcome, loadDefinition } from '../metadefs/load-definition.js';
import { unloadDefinitions } from '../metadefs/unload-definitions.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { withCurrentDatabase } from '../with-services.js';

interface LoadOptions extends OutputOptions {
  readonly path: string;
  readonly merge?: boolean;
  readonly preferNew?: boolean;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

/** What became of one file. */
type Loaded = {
  readonly file: string;
  readonly namespace: string | null;
  readonly outcome: LoadOutcome | 'failed';
  readonly reason: string | null;
};

function modeOf({ merge, preferNew, overwrite }: LoadOptions): LoadMode {
  if (preferNew === true && overwrite === true)
    throw new OperatorError('--prefer-new and --overwrite exclude each other');
  if (merge !== true && (preferNew === true || overwrite === true))
    throw new OperatorError('--prefer-new and --overwrite go with --merge');
  return overwrite === true
    ? 'overwrite'
    : preferNew === true
      ? 'prefer-new'
      : merge === true
        ? 'merge'
        : 'skip';
}

/** Loads every file by itself: what is wrong with one keeps no other from being loaded. */
export async function loadMetadefs(
  database: Database,
  files: readonly string[],
  mode: LoadMode,
  isRehearsal = false,
): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const file of files) {
    let namespace: string | null = null;
    try {
      const definition = await readDefinition(file);
      namespace = definition.namespace.namespace;
      const outcome = await loadDefinition(database, definition, mode, isRehearsal);
      loaded.push({ file: basename(file), namespace, outcome, reason: null });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      loaded.push({ file: basename(file), namespace, outcome: 'failed', reason });
    }
  }
  return loaded;
}

async function load(options: LoadOptions): Promise<void> {
  const mode = modeOf(options);
  const files = await definitionFiles(options.path);
  const loaded = await withCurrentDatabase((database) =>
    loadMetadefs(database, files, mode, options.dryRun === true),
  );
  reportList(options, loaded, 'No files.');
  const failed = loaded.filter(({ outcome }) => outcome === 'failed').length;
  if (failed > 0) throw new OperatorError(`${failed} of ${loaded.length} files could not be loaded`);
}

export function addMetadefs(program: Command): void {
  program
    .command('load-metadefs')
    .description(
      "load metadata definitions from files in Glance's format; namespaces that are there are skipped",
    )
    .option('--path <path>', 'a file, or a folder with .json files', defaultDefinitions())
    .option('--merge', 'give namespaces that are there what they lack')
    .option('--prefer-new', 'with --merge: bring what is there up to the files')
    .option(
      '--overwrite',
      'with --merge: delete the namespaces that are there first, with all that is in them',
    )
    .option('--dry-run', 'change nothing, and say what would become of each file')
    .option('--json', 'answer in JSON')
    .action(load);
  program
    .command('unload-metadefs')
    .description('delete all metadata definitions and resource types, protected ones too')
    .option('--json', 'answer in JSON')
    .action(async (options: OutputOptions) => {
      const deleted = await withCurrentDatabase(unloadDefinitions);
      const counts = Object.entries(deleted).map(([table, rows]) => `${table} ${rows}`);
      report(options, { deleted }, `Deleted ${counts.join(', ')}.`);
    });
  program
    .command('export-metadefs')
    .description('write each namespace of metadata definitions into a file that can be loaded again')
    .requiredOption('--path <folder>', 'where the files go')
    .option('--json', 'answer in JSON')
    .action(async (options: OutputOptions & { readonly path: string }) => {
      const files = await withCurrentDatabase((database) => exportDefinitions(database, options.path));
      report(options, { files }, `Wrote ${files.length} files into ${options.path}.`);
    });
}
