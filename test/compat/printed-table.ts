/** The rows of a table that a client prints: `| a | b |` → `['a', 'b']`, without the head. */
export function rowsOf(table: string): string[][] {
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
