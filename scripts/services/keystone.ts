import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { account } from './account.js';
import { canInstallPackages, findProgram, installPackages } from './apt.js';
import { cloud, createCloud } from './keystone-cloud.js';
import { freePort } from './ports.js';
import { type ProcessRecord, isAlive, startServer, stopServer } from './processes.js';
import { expectAnswer, waitUntilUp } from './starting.js';
import { StateFile, servicesDir, withLock } from './state.js';

const PREFERRED_PORT = 21_500;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

const dir = join(servicesDir, 'keystone');
const configFile = join(dir, 'keystone.conf');
const stateFile = new StateFile<State>(join(dir, 'keystone.json'));
/** There once the database, the keys, the users and the catalogue are. */
const doneFile = join(dir, 'done');
const logFile = join(servicesDir, 'log', 'keystone.log');

interface State {
  readonly port: number;
  readonly process: ProcessRecord | undefined;
}

const publicUrl = (port: number) => `http://127.0.0.1:${port}/v3`;
const adminUrl = (port: number) => `http://admin:${account.password}@127.0.0.1:${port}/v3`;

const findWsgiProgram = () => findProgram('keystone-wsgi-public');
/** The distribution's own Python has the packages of Keystone, whatever comes first on the path. */
const PLUGINS = '/usr/lib/uwsgi/plugins/python3_plugin.so';

const missingPackages = () => [
  ...(findWsgiProgram() && findProgram('keystone-manage') ? [] : ['keystone']),
  ...(findProgram('uwsgi') ? [] : ['uwsgi-core']),
  ...(existsSync(PLUGINS) ? [] : ['uwsgi-plugin-python3']),
];

/** Whether Keystone is here or can be installed. There is no official container image of it. */
export const canRunKeystone = () =>
  process.platform === 'linux' && (missingPackages().length === 0 || canInstallPackages());

function writeSettings(): void {
  for (const folder of ['fernet', 'credential', 'policy.d'])
    mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
  writeFileSync(
    configFile,
    [
      '[database]',
      `connection = sqlite:///${join(dir, 'keystone.sqlite')}?timeout=30`,
      '[token]',
      'provider = fernet',
      'expiration = 3600',
      '[fernet_tokens]',
      `key_repository = ${join(dir, 'fernet')}`,
      '[fernet_receipts]',
      `key_repository = ${join(dir, 'fernet')}`,
      '[credential]',
      `key_repository = ${join(dir, 'credential')}`,
      '[identity]',
      // The fewest: tests log in all the time.
      'password_hash_rounds = 4',
      '[cache]',
      // Without it every request asks the database the same some hundred times. In the memory of the one process that
      // there is a revocation holds at once.
      'enabled = true',
      'backend = dogpile.cache.memory',
      '[oslo_policy]',
      `policy_dirs = ${join(dir, 'policy.d')}`,
      '',
    ].join('\n'),
  );
}

function run(program: string, ...args: string[]): void {
  const { status, output } = spawnSync(program, args, { cwd: dir, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args[2] ?? ''} failed:\n${output.join('')}`);
}

/** The database with its admin, and the keys that tokens are signed with. */
function setUp(port: number): void {
  const manage = (...args: string[]) =>
    run(findProgram('keystone-manage')!, '--config-file', configFile, ...args);
  // Only root can give the keys to somebody.
  const owner = process.getuid?.() === 0 ? ['--keystone-user', 'root', '--keystone-group', 'root'] : [];
  const endpoints = ['admin', 'internal', 'public'].flatMap((kind) => [
    `--bootstrap-${kind}-url`,
    publicUrl(port),
  ]);
  manage('db_sync');
  manage('fernet_setup', ...owner);
  manage('credential_setup', ...owner);
  manage(
    'bootstrap',
    '--bootstrap-password',
    account.password,
    '--bootstrap-region-id',
    cloud.region,
    ...endpoints,
  );
  // Readers and a writer at the same time.
  const python = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA journal_mode=WAL")';
  run('/usr/bin/python3', '-c', python, join(dir, 'keystone.sqlite'));
}

function startProcess(port: number): ProcessRecord {
  const args = [
    '--plugins=python3,http',
    // A process of its own reads the requests, so that clients that are slow keep none from being answered.
    `--http=127.0.0.1:${port}`,
    `--wsgi-file=${findWsgiProgram()!}`,
    '--master',
    '--die-on-term',
    '--lazy-apps',
    '--processes=1',
    '--threads=1',
    '--buffer-size=65535',
    // A body that nobody read would reset the connection before the answer is read.
    '--post-buffering=65536',
    // It ends each connection after one answer, and has to say so.
    '--add-header=Connection: close',
    '--disable-logging',
  ];
  const env = { ...process.env, OS_KEYSTONE_CONFIG_FILES: configFile, OS_KEYSTONE_CONFIG_DIR: dir };
  return startServer(findProgram('uwsgi')!, args, { cwd: dir, env, logFile });
}

async function isUp(port: number): Promise<boolean> {
  await expectAnswer(publicUrl(port), ({ ok }) => ok);
  return true;
}

async function start(): Promise<string> {
  const before = stateFile.read();
  if (before !== undefined && isAlive(before.process) && existsSync(doneFile)) return adminUrl(before.port);
  await stopServer(before?.process, STOP_TIMEOUT_MS);
  if (missingPackages().length > 0) installPackages(missingPackages());
  const port = await freePort(before?.port ?? PREFERRED_PORT);
  // The catalogue names the port.
  const isNew = before?.port !== port || !existsSync(doneFile);
  if (isNew) rmSync(dir, { recursive: true, force: true });
  for (const folder of [dir, join(servicesDir, 'log')]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeSettings();
  if (isNew) setUp(port);
  const process = startProcess(port);
  stateFile.write({ port, process });
  await waitUntilUp({
    name: 'Keystone',
    timeoutMs: START_TIMEOUT_MS,
    isUp: () => isUp(port),
    processes: { uwsgi: process },
    ports: { http: port },
    logs: [logFile],
  });
  if (isNew) {
    await createCloud(adminUrl(port));
    writeFileSync(doneFile, '');
  }
  return adminUrl(port);
}

/** Where the private Keystone runs, with the credentials of its admin; undefined when it does not. */
export function findKeystone(): string | undefined {
  const state = stateFile.read();
  return state !== undefined && isAlive(state.process) && existsSync(doneFile)
    ? adminUrl(state.port)
    : undefined;
}

/** Starts the private Keystone where it is not running yet; resolves with the URL of {@link findKeystone}. */
export const startKeystone = () => withLock(start);

/** Ends it; says whether it was running. Its data stays for the next start. */
export const stopKeystone = () =>
  withLock(async () => {
    const wasRunning = findKeystone() !== undefined;
    await stopServer(stateFile.read()?.process, STOP_TIMEOUT_MS);
    return wasRunning;
  });
