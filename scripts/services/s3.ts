import type { S3Server } from './s3-server.js';
import { swift } from './swift.js';
import { withLock } from './state.js';
import { versitygw } from './versitygw.js';

/** In the order in which they are tried. */
const servers: readonly S3Server[] = [swift, versitygw];

/** Whether one of the servers is here or can be installed. */
export const canRunS3 = () => servers.some((server) => server.canRun());

/** Where the private S3 server runs, with its credentials; undefined when none does. */
export const findS3 = (): string | undefined => servers.map((server) => server.find()).find(Boolean);

async function startFirst(candidates: readonly S3Server[]): Promise<string> {
  const [server, ...others] = candidates;
  if (server === undefined) throw new Error('no S3 server can be installed here');
  try {
    return await server.start();
  } catch (error) {
    await server.stop();
    if (others.length === 0) throw error;
    const { message } = error as Error;
    console.error(
      `${message}\n\n*** ${server.name} can not be used (see above): ${others[0]!.name} is started ***\n`,
    );
    return startFirst(others);
  }
}

async function start(): Promise<string> {
  const running = servers.find((server) => server.find() !== undefined);
  const possible = servers.filter((server) => server !== running && server.canRun());
  return startFirst(running === undefined ? possible : [running, ...possible]);
}

async function startNamed(name: string): Promise<string> {
  const wanted = servers.find((server) => server.name === name);
  if (wanted === undefined)
    throw new Error(`no such S3 server: ${name} (${servers.map((server) => server.name).join(', ')})`);
  // One at a time, so that it is clear which one the tests use.
  for (const other of servers) if (other !== wanted) await other.stop();
  return wanted.start();
}

/**
 * Starts a private S3 server where none is running yet; resolves with the URL of {@link findS3}. The one of that name,
 * in place of another that runs; else the first that can be used, after standard error was told why one before it can
 * not.
 */
export const startS3 = (name?: string) => withLock(() => (name === undefined ? start() : startNamed(name)));

/** Ends it; says whether it was running. Its data stays for the next start. */
export const stopS3 = () =>
  withLock(async () => {
    const wasRunning = findS3() !== undefined;
    for (const server of servers) await server.stop();
    return wasRunning;
  });
