/** One line of the report. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  /** As a share of a raw limit measured in the same run. */
  readonly ratio?: string;
  readonly aim?: string;
  readonly note?: string;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;

export const round = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Prints rows under a title, in columns. */
export function printTable(title: string, rows: readonly Row[]): void {
  const cells = [
    ['', 'median', 'of raw', 'aim', ''],
    ...rows.map((row) => [row.what, row.figure, row.ratio ?? '', row.aim ?? '', row.note ?? '']),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]!.length)));
  console.log(`\n${title}`);
  for (const line of cells)
    console.log(
      `  ${line[0]!.padEnd(widths[0]!)}  ${[1, 2, 3].map((column) => line[column]!.padStart(widths[column]!)).join('  ')}  ${line[4]}`.trimEnd(),
    );
}
