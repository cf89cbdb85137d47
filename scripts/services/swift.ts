import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { canInstallPackages, findProgram, installPackages } from './apt.js';
import { freePort, isOpen } from './ports.js';
import { type ProcessRecord, isAlive, startServer, stopServer } from './processes.js';
import type { S3Server } from './s3-server.js';
import { canKeepObjects } from './s3-check.js';
import {
  type SwiftPorts,
  backendServers,
  s3Credentials,
  commandOf,
  writeSwiftSettings,
} from './swift-settings.js';
import { waitUntilUp } from './starting.js';
import { StateFile, servicesDir } from './state.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
const CACHE_MEBIBYTES = '16';
/** The distribution's own has the packages of Swift, whatever comes first on the path. */
const PYTHON = '/usr/bin/python3';

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

const urlOf = ({ ports }: State) =>
  `http://${encodeURIComponent(s3Credentials.accessKey)}:${s3Credentials.secretKey}@127.0.0.1:${ports.proxy}`;

async function choosePorts(): Promise<SwiftPorts> {
  return {
    proxy: await freePort(21_080),
    account: await freePort(21_012),
    container: await freePort(21_011),
    object: await freePort(21_010),
    cache: await freePort(21_013),
  };
}

function startProcess(name: string, ports: SwiftPorts): ProcessRecord {
  // Addresses are numbers here, so nothing is to be looked up, least of all by a resolver of its own.
  const env = { ...process.env, LANG: 'C.UTF-8', EVENTLET_NO_GREENDNS: 'yes' };
  const options = { cwd: dir, env, logFile };
  if (name !== 'cache') return startServer(PYTHON, commandOf(dir, name), options);
  const { username } = userInfo();
  const listen = ['-l', '127.0.0.1', '-p', String(ports.cache), '-U', '0'];
  return startServer(findProgram('memcached')!, ['-u', username, '-m', CACHE_MEBIBYTES, ...listen], options);
}

const areOpen = async (ports: readonly number[]) =>
  !(await Promise.all(ports.map((port) => isOpen(port)))).includes(false);

async function waitFor(state: State): Promise<string> {
  const ports = { ...state.ports };
  await waitUntilUp({
    name: 'Swift',
    timeoutMs: START_TIMEOUT_MS,
    isUp: async () => (await areOpen(Object.values(ports))) && (await canKeepObjects(urlOf(state))),
    processes: state.processes,
    ports,
    logs: [logFile],
  });
  return urlOf(state);
}

const areAllAlive = (state: State | undefined): state is State =>
  state !== undefined && processNames.every((name) => isAlive(state.processes[name]));

async function stopAll(state: State | undefined): Promise<void> {
  const processes = Object.values(state?.processes ?? {});
  await Promise.all(processes.map((record) => stopServer(record, STOP_TIMEOUT_MS)));
}

async function start(): Promise<string> {
  const before = stateFile.read();
  if (areAllAlive(before)) return waitFor(before);
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
  return waitFor(state);
}

/** OpenStack Swift with its S3 API. */
export const swift: S3Server = {
  name: 'swift',
  canRun: () => process.platform === 'linux' && (missingPackages().length === 0 || canInstallPackages()),
  find() {
    const state = stateFile.read();
    return areAllAlive(state) ? urlOf(state) : undefined;
  },
  start,
  stop: () => stopAll(stateFile.read()),
};
