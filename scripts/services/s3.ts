import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { canInstallPackages, findProgram, installPackages } from './apt.js';
import { freePort, isOpen } from './ports.js';
import { type ProcessRecord, isAlive, startServer, stopServer } from './processes.js';
import {
  type SwiftPorts,
  backendServers,
  s3Credentials,
  settingsFile,
  writeSwiftSettings,
} from './s3-settings.js';
import { StateFile, servicesDir, withLock } from './state.js';
import { isTrueWithin } from './waiting.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
const CACHE_MEBIBYTES = '16';

const dir = join(servicesDir, 's3');
const stateFile = new StateFile<State>(join(dir, 's3.json'));
const logFile = join(servicesDir, 'log', 's3.log');

interface State {
  readonly ports: SwiftPorts;
  /** By name. */
  readonly processes: Readonly<Record<string, ProcessRecord>>;
}

const swiftServers = [...backendServers, 'proxy'] as const;
const processNames = [...swiftServers, 'cache'];

const missingPackages = () => [
  ...swiftServers
    .filter((name) => findProgram(`swift-${name}-server`) === undefined)
    .map((name) => `swift-${name}`),
  ...(findProgram('memcached') ? [] : ['memcached']),
];

/** Whether Swift is here or can be installed. */
export const canRunS3 = () =>
  process.platform === 'linux' && (missingPackages().length === 0 || canInstallPackages());

const urlOf = ({ ports }: State) =>
  `http://${encodeURIComponent(s3Credentials.accessKey)}:${s3Credentials.secretKey}@127.0.0.1:${ports.proxy}`;

async function choosePorts(): Promise<SwiftPorts> {
  return {
    proxy: await freePort(36_080),
    account: await freePort(36_012),
    container: await freePort(36_011),
    object: await freePort(36_010),
    cache: await freePort(36_013),
  };
}

function startProcess(name: string, ports: SwiftPorts): ProcessRecord {
  const options = { cwd: dir, env: { ...process.env, LANG: 'C.UTF-8' }, logFile };
  if (name !== 'cache')
    return startServer(findProgram(`swift-${name}-server`)!, [settingsFile(dir, name), '--verbose'], options);
  const { username } = userInfo();
  const listen = ['-l', '127.0.0.1', '-p', String(ports.cache), '-U', '0'];
  return startServer(findProgram('memcached')!, ['-u', username, '-m', CACHE_MEBIBYTES, ...listen], options);
}

/** Whether the proxy answers, and the servers behind it. */
async function isUp({ ports }: State): Promise<boolean> {
  const open = await Promise.all(Object.values(ports).map((port) => isOpen(port)));
  if (open.includes(false)) return false;
  const response = await fetch(`http://127.0.0.1:${ports.proxy}/`, { signal: AbortSignal.timeout(2_000) });
  // It answers requests that are not signed, if only to refuse them.
  return response.status < 500;
}

const areAllAlive = (state: State | undefined): state is State =>
  state !== undefined && processNames.every((name) => isAlive(state.processes[name]));

async function stopAll(state: State | undefined): Promise<void> {
  const processes = Object.values(state?.processes ?? {});
  await Promise.all(processes.map((record) => stopServer(record, STOP_TIMEOUT_MS)));
}

async function start(): Promise<string> {
  const before = stateFile.read();
  if (areAllAlive(before) && (await isTrueWithin(START_TIMEOUT_MS, () => isUp(before)))) return urlOf(before);
  await stopAll(before);
  if (missingPackages().length > 0) installPackages(missingPackages());
  for (const folder of [dir, join(servicesDir, 'log')]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ports = await choosePorts();
  writeSwiftSettings(dir, ports);
  let state: State = { ports, processes: {} };
  for (const name of processNames) {
    // Recorded at once, so that a process whose start is interrupted can still be ended.
    state = { ports, processes: { ...state.processes, [name]: startProcess(name, ports) } };
    stateFile.write(state);
  }
  if (!(await isTrueWithin(START_TIMEOUT_MS, () => isUp(state))))
    throw new Error(`Swift does not answer, see ${logFile}`);
  return urlOf(state);
}

/** Where the private S3 server runs, with its credentials; undefined when it does not. */
export function findS3(): string | undefined {
  const state = stateFile.read();
  return areAllAlive(state) ? urlOf(state) : undefined;
}

/**
 * Starts a private S3 server (OpenStack Swift with its S3 API) where it is not running yet; resolves with the URL of
 * {@link findS3}.
 */
export const startS3 = () => withLock(start);

/** Ends it; says whether it was running. Its data stays for the next start. */
export const stopS3 = () =>
  withLock(async () => {
    const wasRunning = findS3() !== undefined;
    await stopAll(stateFile.read());
    return wasRunning;
  });
