export interface OutputOptions {
  readonly json?: boolean;
}

/** Where answers go: standard output. */
export const write = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** One answer, as JSON or as the sentence that says it. */
export function report(options: OutputOptions, result: object, sentence: string): void {
  write(options.json === true ? JSON.stringify(result) : sentence);
}

type Row = Readonly<Record<string, string | number | null>>;

const cellText = (value: string | number | null | undefined) => String(value ?? '-').replaceAll(/\s+/g, ' ');

/** A list, as JSON or as a table with the columns of its first row. */
export function reportList(options: OutputOptions, rows: readonly Row[], nothing: string): void {
  if (options.json === true) write(JSON.stringify(rows));
  else write(rows.length === 0 ? nothing : table(rows));
}

/** The rows under their headings, in columns as wide as what they hold. */
export function table(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => cellText(row[name]))),
  ];
  const widths = names.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
