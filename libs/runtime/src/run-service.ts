import { type Config, ConfigError, loadConfig } from '@glimpse/config';
import { type Logger, createLogger } from '@glimpse/observability';
import type { RunningService } from './running-service.js';
import { isDoneWithin } from './shutdown.js';
import { STOP_SIGNALS, stopSignal } from './stop-signal.js';

/** Exit codes: what a supervisor sees. */
const STOPPED = 0;
const FAILED = 1;
const BAD_CONFIGURATION = 2;

/** Beyond the grace period: time to cut off what did not finish and to close connections. */
const CLOSE_MARGIN_MS = 5_000;

function refuseConfiguration({ message }: ConfigError): never {
  process.stderr.write(`${message}\n`);
  return process.exit(BAD_CONFIGURATION);
}

function readConfig(): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return refuseConfiguration(error);
  }
}

/** One sentence for the person who starts the service, where the reason is theirs to mend. */
function explainStartFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${address} is taken by another program: stop it, or choose another port (GLIMPSE_PORT, GLIMPSE_REGISTRY_PORT, GLIMPSE_STORE_WORKER_PORT).`;
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} on ${address} needs rights that this user does not have: choose a port above 1023.`;
  if (code === 'EADDRNOTAVAIL')
    return `This machine has no address ${address}: set GLIMPSE_HOST to one it has.`;
  return undefined;
}

function reload(service: RunningService | undefined, logger: Logger): void {
  logger.info({ signal: 'SIGHUP' }, 'reloading');
  try {
    service?.reload?.();
  } catch (error) {
    logger.error({ err: error }, 'reloading failed');
  }
}

async function close(service: RunningService, graceMs: number, logger: Logger): Promise<number> {
  try {
    if (await isDoneWithin(service.close(graceMs), graceMs + CLOSE_MARGIN_MS)) {
      logger.info('stopped');
      return STOPPED;
    }
    logger.error({ graceMs }, 'did not stop in time, ending anyway');
  } catch (error) {
    logger.error({ err: error }, 'stopping failed');
  }
  return FAILED;
}

async function startOrExit(
  starting: Promise<RunningService | string>,
  logger: Logger,
): Promise<RunningService> {
  try {
    const service = await starting;
    // A signal came first. Nothing is to be finished yet: a process may die at any line of its start.
    return typeof service === 'string' ? process.exit(STOPPED) : service;
  } catch (error) {
    // The drivers of the stores check their own options.
    if (error instanceof ConfigError) return refuseConfiguration(error);
    const reason = explainStartFailure(error);
    if (reason === undefined) logger.fatal({ err: error }, 'the start failed');
    else {
      logger.fatal({ reason }, 'the start failed');
      process.stderr.write(`${reason}\n`);
    }
    return process.exit(FAILED);
  }
}

/**
 * Runs one service as this process, until a signal: reads the configuration (its errors go to standard error, exit
 * code 2), starts the service (a failed start is explained, exit code 1), logs `listening` with its `url`, closes it
 * at the first SIGTERM or SIGINT within `shutdown_grace_ms` and exits with 0. A second signal ends the process at
 * once, and so does an error that nobody handled: it is logged, exit code 1. SIGHUP makes the service reload, but in
 * a terminal it says that the terminal is gone, and ends the service as SIGTERM does.
 */
export async function runService(
  title: string,
  start: (config: Config) => Promise<RunningService>,
): Promise<void> {
  process.title = title;
  const config = readConfig();
  const logger = createLogger(title, { level: config.log.level });
  // Node raises an unhandled rejection as an uncaught exception, so this is the one place for both.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'unexpected error, ending');
    process.exit(FAILED);
  });
  const isInTerminal = process.stdout.isTTY;
  const stop = stopSignal(
    () => process.exit(FAILED),
    isInTerminal ? [...STOP_SIGNALS, 'SIGHUP'] : STOP_SIGNALS,
  );
  let service: RunningService | undefined;
  // From the start on, since a process that does not listen to SIGHUP ends by it.
  if (!isInTerminal) process.on('SIGHUP', () => reload(service, logger));
  service = await startOrExit(Promise.race([start(config), stop]), logger);
  logger.info({ url: service.url, pid: process.pid }, 'listening');
  logger.info({ signal: await stop }, 'stopping');
  process.exit(await close(service, config.shutdownGraceMs, logger));
}
