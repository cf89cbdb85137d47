import { type Config, loadConfig } from '@glimpse/config';
import { STAGING_STORE } from '@glimpse/contracts';
import type { Database, RunRequest } from '@glimpse/persistence';
import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, table, write } from '../output.js';
import { type FinishedRun, beginRuns, lastRuns, listFindings, waitForRuns } from '../reconcile-runs.js';
import { withCurrentDatabase } from '../with-services.js';

/** The exit code where a store and the database disagree. */
const DIFFERENT = 3;

interface ReconcileOptions extends OutputOptions {
  readonly store?: readonly string[];
  readonly repair?: boolean;
  readonly graceSeconds?: number;
  readonly soleOwner?: boolean;
  readonly last?: boolean;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

function storesOf(config: Config, chosen: readonly string[] | undefined): string[] {
  const stores = [...Object.keys(config.stores), STAGING_STORE];
  const unknown = (chosen ?? []).filter((id) => !stores.includes(id));
  if (unknown.length > 0)
    throw new OperatorError(`there is no store ${unknown.join(', ')} (${stores.join(', ')})`);
  return chosen === undefined ? stores : [...new Set(chosen)];
}

function requestFor(storeId: string, { reconcile }: Config, options: ReconcileOptions): RunRequest {
  const repair = options.repair === true;
  return {
    storeId,
    scope: 'store',
    repair,
    discard: repair,
    graceMs: options.graceSeconds === undefined ? reconcile.graceMs : options.graceSeconds * 1000,
    keepMs: reconcile.quarantineMs,
    soleOwner: options.soleOwner === true || reconcile.soleOwner,
  };
}

async function run(database: Database, options: ReconcileOptions): Promise<void> {
  const config = loadConfig();
  const storeIds = storesOf(config, options.store);
  const runs =
    options.last === true
      ? await lastRuns(database, storeIds)
      : await waitForRuns(
          database,
          await beginRuns(
            database,
            storeIds.map((storeId) => requestFor(storeId, config, options)),
          ),
          options.timeoutSeconds * 1000,
        );
  const findings = await listFindings(database, storeIds, options.limit);
  if (options.json === true) write(JSON.stringify({ runs, findings }));
  else {
    write(runs.length === 0 ? 'No store was compared yet.' : table(runs.map(toRow)));
    if (findings.length > 0) write(`\n${table(findings)}`);
  }
  const failed = runs.filter(({ status }) => status === 'failed');
  if (failed.length > 0)
    throw new OperatorError(
      failed.map(({ storeId, error }) => `${storeId} could not be compared: ${error?.message}`).join('; '),
    );
  if (runs.some(isDifferent)) process.exitCode = DIFFERENT;
}

const isDifferent = ({ report }: FinishedRun): boolean =>
  report !== null && report.orphans.objects + report.missing + report.wrongSize + report.unreadable > 0;

const toRow = ({ storeId, status, endedAt, report }: FinishedRun) => ({
  store: storeId,
  status,
  ended: endedAt,
  objects: report?.listed?.objects ?? null,
  bytes: report?.listed?.bytes ?? null,
  foreign: report?.foreign.objects ?? null,
  orphans: report?.orphans.objects ?? null,
  'orphan bytes': report?.orphans.bytes ?? null,
  unknown: report?.unknown.objects ?? null,
  missing: report?.missing ?? null,
  'wrong size': report?.wrongSize ?? null,
  unreadable: report?.unreadable ?? null,
  'set aside': report?.setAside.objects ?? null,
  'put back': report?.putBack ?? null,
  discarded: report?.discarded.objects ?? null,
  quarantine: report?.quarantine.objects ?? null,
});

export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description(
      'compare the stores with the database: what lies in a store and belongs to no image, what an image should have and is not there; exit code 3 where they differ',
    )
    .option('--store <ids...>', 'only these stores')
    .option('--repair', 'set aside what belongs to no image, and remove for good what was long enough')
    .option(
      '--grace-seconds <n>',
      'leave data alone for this long after it was written and first seen (reconcile.grace_ms)',
      wholeNumber(0),
    )
    .option('--sole-owner', 'also data of images that the database never knew (reconcile.sole_owner)')
    .option('--last', 'only show what the last comparison came to')
    .option('--limit <n>', 'differences to show at most', wholeNumber(1), 100)
    .option('--timeout-seconds <n>', 'wait this long for the store-workers', wholeNumber(1), 3600)
    .option('--json', 'answer in JSON')
    .action((options: ReconcileOptions) => withCurrentDatabase((database) => run(database, options)));
}
