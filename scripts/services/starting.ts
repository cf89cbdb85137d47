import { type Log, endOfLog } from './logs.js';
import { isOpen } from './ports.js';
import { type ProcessRecord, isAlive } from './processes.js';
import { failureWithin } from './waiting.js';

const MOST_OF_BODY = 300;

/** A server that was started, and how to see that it answers. */
export interface Startup {
  readonly name: string;
  readonly timeoutMs: number;
  /** Resolves with true once it answers; what it throws is told when that never happens. */
  readonly isUp: () => boolean | Promise<boolean>;
  /** By name. When one of them has ended there is nothing to wait for. */
  readonly processes?: Readonly<Record<string, ProcessRecord | undefined>>;
  /** By name. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly logs: readonly Log[];
}

/** Throws, with the status and the beginning of what it said, unless the server at `url` answers as `isGood` wants. */
export async function expectAnswer(
  url: string,
  isGood: (response: Response) => boolean,
  headers: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  const body = await response.text();
  if (!isGood(response))
    throw new Error(`GET ${url} was answered with ${response.status}: ${body.slice(0, MOST_OF_BODY)}`);
}

const ended = ({ processes = {} }: Startup) =>
  Object.entries(processes)
    .filter(([, record]) => !isAlive(record))
    .map(([name]) => name);

async function closedPorts({ ports = {} }: Startup): Promise<string[]> {
  const tried = await Promise.all(
    Object.entries(ports).map(async ([name, port]) => ({ name, port, isListening: await isOpen(port) })),
  );
  return tried.filter(({ isListening }) => !isListening).map(({ name, port }) => `${port} (${name})`);
}

/** Waits until the server answers, at most `timeoutMs`. Throws with all that can be known of why it does not. */
export async function waitUntilUp(server: Startup): Promise<void> {
  const begin = Date.now();
  const failure = await failureWithin(
    server.timeoutMs,
    () => server.isUp(),
    () => ended(server).length > 0,
  );
  if (failure === undefined) return;
  const [dead, closed] = [ended(server), await closedPorts(server)];
  throw new Error(
    [
      `${server.name} does not answer after ${Math.round((Date.now() - begin) / 1000)} s: ${failure}`,
      ...(dead.length > 0 ? [`processes that have ended: ${dead.join(', ')}`] : []),
      ...(closed.length > 0 ? [`ports that are closed: ${closed.join(', ')}`] : []),
      ...server.logs.map(endOfLog),
    ].join('\n'),
  );
}
