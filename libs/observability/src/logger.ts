import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { currentContext, traceIdOf } from './context.js';

export type Logger = PinoLogger;

/**
 * URLs may hold credentials (`mysql://user:secret@…`, also percent-encoded): they are cut out of every text that is
 * logged or told.
 */
export const redactCredentials = (text: string): string =>
  text.replace(/\b([a-z][a-z0-9+.-]{0,30}(?::\/\/|%3A%2F%2F))(?:(?!%2F)[^/\s"'<>])*(@|%40)/gi, '$1***$2');

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: redactCredentials(String(error)) };
  const code: unknown = Reflect.get(error, 'code');
  return {
    type: error.name,
    message: redactCredentials(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    stack: redactCredentials(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** What may wait for a slow reader of standard output, in bytes; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 16_777_216;

let standardOutput: DestinationStream | undefined;

/** How long a line may wait for others, in milliseconds: only a process that is killed loses what still waits. */
const GATHER_MS = 10;
/** So many characters are written without waiting for more. */
const GATHER_LENGTH = 8_192;

/**
 * Lines that come soon after one another are written together, beside the event loop: a write of its own for each took
 * a fifth of the time of a request. What is left is written when the process exits. One for the whole process, whose
 * several services would else write into the middle of each other's lines where a pipe is full.
 *
 * They are gathered here, not by pino's `minLength`: what that holds back while an earlier write is under way stays
 * there until a next line comes, and the last line of a silent process is the one that is looked for.
 */
function openStandardOutput(): DestinationStream {
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  const pass = () => {
    clearTimeout(timer);
    timer = undefined;
    const lines = gathered;
    gathered = '';
    if (lines !== '') output.write(lines);
  };
  // Before pino's own listeners, which end the output.
  process.once('beforeExit', pass);
  process.once('exit', pass);
  const output = pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES });
  return {
    write: (line) => {
      gathered += line;
      if (gathered.length >= GATHER_LENGTH) pass();
      else timer ??= setTimeout(pass, GATHER_MS).unref();
    },
  };
}

const sharedOutput = () => (standardOutput ??= openStandardOutput());

/**
 * A logger that writes one JSON line an entry to standard output (or `destination`), with the service, and the
 * request and trace id of the work that is going on.
 */
export function createLogger(
  service: string,
  options: { level: string; instanceId?: string },
  destination?: DestinationStream,
): Logger {
  const settings = {
    level: options.level,
    base: { service, ...(options.instanceId === undefined ? {} : { instance: options.instanceId }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    mixin: () => {
      const context = currentContext();
      if (context === undefined) return {};
      return {
        ...(context.requestId === undefined ? {} : { request_id: context.requestId }),
        trace_id: traceIdOf(context.traceparent),
      };
    },
  };
  return pino(settings, destination ?? sharedOutput());
}
