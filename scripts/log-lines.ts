/** A line of a service's log, as far as it is shown to people. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly service: string;
  readonly msg: string;
  readonly url?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
}

/** The JSON line, or undefined where the text is something else. */
export function parseLogLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

/** Machinery of a log line; its message and the other fields are what people look for. */
const HIDDEN = new Set([
  'time',
  'level',
  'service',
  'instance',
  'msg',
  'context',
  'err',
  'trace_id',
  'request_id',
]);

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** One short line; errors with their stack below. */
export function formatLogLine(line: LogLine): string {
  const details = Object.entries(line)
    .filter(([key, value]) => !HIDDEN.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${asText(value)}`);
  const head = [line.time.slice(11, 19), line.level.padEnd(5), line.service, line.msg, ...details].join(' ');
  const { stack } = line.err ?? {};
  return stack === undefined ? `${head}\n` : `${head}\n  ${stack.replaceAll('\n', '\n  ')}\n`;
}
