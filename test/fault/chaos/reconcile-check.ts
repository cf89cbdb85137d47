import type { Glimpse } from '@glimpse/testing';

interface Comparison {
  readonly runs: readonly {
    readonly storeId: string;
    readonly status: string;
    readonly report: {
      readonly orphans: { readonly objects: number; readonly bytes: number };
      readonly missing: number;
      readonly wrongSize: number;
      readonly unreadable: number;
    } | null;
  }[];
}

const OPTIONS = ['--json', '--repair', '--grace-seconds', '0', '--sole-owner', '--timeout-seconds', '120'];

/** The exit code with which `reconcile` says that a store and the database differ. */
const DIFFERENT = 3;

function outputOf(error: unknown): string {
  const { code, stdout } = error as { code?: unknown; stdout?: unknown };
  if (code === DIFFERENT && typeof stdout === 'string') return stdout;
  throw error;
}

/** What Glimpse itself finds when it compares its stores with its database: `manage reconcile --repair`. */
export async function findByReconcile(glimpse: Glimpse): Promise<string[]> {
  const { runs } = JSON.parse(await glimpse.manage('reconcile', ...OPTIONS).catch(outputOf)) as Comparison;
  if (runs.length === 0) return ['reconcile compared no store'];
  return runs.flatMap(({ storeId, status, report }) => {
    const isClean =
      report !== null && report.orphans.objects + report.missing + report.wrongSize + report.unreadable === 0;
    return isClean ? [] : [`reconcile of ${storeId}: ${status} ${JSON.stringify(report)}`];
  });
}
