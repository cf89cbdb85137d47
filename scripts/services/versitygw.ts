import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { account } from './account.js';
import { findProgram } from './apt.js';
import { freePort, isOpen } from './ports.js';
import { type ProcessRecord, isAlive, startServer, stopServer } from './processes.js';
import type { S3Server } from './s3-server.js';
import { S3_REGION, canKeepObjects } from './s3-check.js';
import { waitUntilUp } from './starting.js';
import { StateFile, root, servicesDir } from './state.js';

const VERSION = 'v1.8.0';
const MODULE = 'github.com/versity/versitygw/cmd/versitygw';
const PREFERRED_PORT = 21_090;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

const dir = join(servicesDir, 'versitygw');
const buckets = join(dir, 'buckets');
const metadata = join(dir, 'metadata');
const logFile = join(servicesDir, 'log', 'versitygw.log');
const stateFile = new StateFile<State>(join(dir, 'versitygw.json'));
/** Each version has a folder, so that another one is built when it changes. */
const programDir = join(root, '.glimpse', 'tools', `versitygw-${VERSION}`);
const program = join(programDir, 'versitygw');

interface State {
  readonly port: number;
  readonly process: ProcessRecord;
}

const urlOf = (port: number) => `http://${account.user}:${account.password}@127.0.0.1:${port}`;

/** Builds it from the sources in the Go module proxy, which takes a minute or two; what Go says goes to standard error. */
function install(): void {
  console.error(`Building versitygw ${VERSION} …`);
  mkdirSync(programDir, { recursive: true });
  const { status } = spawnSync(
    findProgram('go', '/usr/local/go/bin/go')!,
    ['install', `${MODULE}@${VERSION}`],
    {
      cwd: programDir,
      // Without a compiler for C, and for this machine whatever else it builds for.
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: programDir, GOOS: '', GOARCH: '', GOFLAGS: '' },
      stdio: ['ignore', 2, 2],
    },
  );
  if (status !== 0) throw new Error(`versitygw ${VERSION} could not be built (see above)`);
}

function startProcess(port: number): ProcessRecord {
  const args = [
    '--port',
    `127.0.0.1:${port}`,
    '--region',
    S3_REGION,
    '--keep-alive',
    '--quiet',
    'posix',
    // In files of their own: not every file system has extended attributes.
    '--sidecar',
    metadata,
    buckets,
  ];
  const env = {
    ...process.env,
    ROOT_ACCESS_KEY_ID: account.user,
    ROOT_SECRET_ACCESS_KEY: account.password,
  };
  return startServer(program, args, { cwd: dir, env, logFile });
}

const isRunning = (state: State | undefined): state is State => state !== undefined && isAlive(state.process);

async function waitFor({ port, process }: State): Promise<string> {
  const url = urlOf(port);
  await waitUntilUp({
    name: 'versitygw',
    timeoutMs: START_TIMEOUT_MS,
    isUp: async () => (await isOpen(port)) && (await canKeepObjects(url)),
    processes: { versitygw: process },
    ports: { s3: port },
    logs: [logFile],
  });
  return url;
}

/** The Versity S3 gateway: one program that keeps objects as files in a folder. */
export const versitygw: S3Server = {
  name: 'versitygw',

  canRun: () =>
    process.platform === 'linux' &&
    (existsSync(program) || findProgram('go', '/usr/local/go/bin/go') !== undefined),

  find() {
    const state = stateFile.read();
    return isRunning(state) ? urlOf(state.port) : undefined;
  },

  async start() {
    const before = stateFile.read();
    if (isRunning(before)) return waitFor(before);
    if (!existsSync(program)) install();
    for (const folder of [buckets, metadata, join(servicesDir, 'log')])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    const port = await freePort(PREFERRED_PORT);
    const state: State = { port, process: startProcess(port) };
    stateFile.write(state);
    return waitFor(state);
  },

  stop: () => stopServer(stateFile.read()?.process, STOP_TIMEOUT_MS),
};
