import { readFileSync } from 'node:fs';

const LAST_LINES = 40;

/** What a server has said: the path of a file, or the text by where it is from. */
export type Log = string | { readonly from: string; read: () => string };

/** The last lines of a log, indented; says so where it can not be read. */
export function endOfLog(log: Log): string {
  const { from, read } = typeof log === 'string' ? { from: log, read: () => readFileSync(log, 'utf8') } : log;
  try {
    const lines = read().trimEnd().split('\n').slice(-LAST_LINES);
    return [`the end of ${from}:`, ...lines.map((line) => `    ${line}`)].join('\n');
  } catch (error) {
    return `${from} can not be read: ${(error as Error).message}`;
  }
}
