import type { OperationCount } from './ledger.js';
import type { Recovery } from './killer.js';

/** What came of a run. */
export interface ChaosReport {
  readonly mode: string;
  readonly seed: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<string, OperationCount>>;
  readonly images: Readonly<Record<string, number>>;
  readonly jobs: Readonly<Record<string, number>>;
  /** Attempts at jobs that began anew after a worker was lost. */
  readonly repeatedAttempts: number;
  readonly slowestRecovery: Recovery | undefined;
  /** From the last fault until nothing was in motion any more. */
  readonly restedAfterMs: number;
  readonly orphanedBytes: number;
  readonly durationMs: number;
  /** What the service did that it must not do; none in a good run. */
  readonly violations: readonly string[];
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const MAX_SHOWN = 50;

/** The report as people read it. */
export function describeReport(report: ChaosReport): string {
  const { violations, slowestRecovery, operations } = report;
  const faults = Object.entries(report.faults).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return [
    `Chaos, ${report.mode}, seed ${report.seed}: ${total} faults in ${seconds(report.durationMs)}`,
    `  faults      ${listed(Object.fromEntries(faults))}`,
    '  operations  sent / acknowledged / refused / unknown',
    ...Object.entries(operations)
      .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
      .map(
        ([name, { sent, acknowledged, refused, unknown }]) =>
          `    ${name.padEnd(14)} ${sent} / ${acknowledged} / ${refused} / ${unknown}`,
      ),
    `  images      ${listed(report.images)}`,
    `  jobs        ${listed(report.jobs)}; attempts after a lost worker ${report.repeatedAttempts}`,
    `  recovery    slowest ${slowestRecovery === undefined ? '-' : `${seconds(slowestRecovery.tookMs)} (${slowestRecovery.fault})`}; all at rest ${seconds(report.restedAfterMs)} after the last fault`,
    `  orphans     ${report.orphanedBytes} bytes`,
    `  violations  ${violations.length}`,
    ...violations.slice(0, MAX_SHOWN).map((violation) => `    ${violation}`),
    ...(violations.length > MAX_SHOWN ? [`    … and ${violations.length - MAX_SHOWN} more`] : []),
  ].join('\n');
}
