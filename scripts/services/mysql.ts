import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { account, isDatabaseUp } from './account.js';
import { findProgram } from './apt.js';
import { tlsDir } from './certificates.js';
import { type ProcessRecord, startServer } from './processes.js';
import { type Startup, waitUntilUp } from './starting.js';
import { type Ports, servicesDir } from './state.js';

const START_TIMEOUT_MS = 120_000;

const logOf = (home: string) => join(home, 'log', 'mysql.log');

const findServer = () => findProgram('mariadbd', 'mysqld');

/** What has to be installed before the database can run. */
export const mysqlPackages = () => (findServer() ? [] : ['mariadb-server']);

/** The servers refuse to run as root unless told so. */
const asUser = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

function createDataDirectory(server: string, dir: string): string {
  const dataDir = join(dir, 'data');
  if (existsSync(dataDir)) return dataDir;
  const unfinished = join(dir, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const installer = findProgram('mariadb-install-db');
  const { status, output } =
    installer === undefined
      ? spawnSync(server, ['--no-defaults', '--initialize-insecure', `--datadir=${unfinished}`, ...asUser()])
      : spawnSync(installer, [
          '--no-defaults',
          '--skip-test-db',
          // Also where the machine's name can not be looked up.
          '--force',
          '--auth-root-authentication-method=normal',
          `--datadir=${unfinished}`,
          ...asUser(),
        ]);
  if (status !== 0) throw new Error(`the database could not be set up:\n${output.join('')}`);
  renameSync(unfinished, dataDir);
  return dataDir;
}

/**
 * Starts the database, which keeps everything in `home`, without waiting for it. Durable as in production: every commit
 * is on the disk.
 */
export function startMysql(ports: Ports, home = servicesDir): ProcessRecord {
  const server = findServer()!;
  const dir = join(home, 'mysql');
  const dataDir = createDataDirectory(server, dir);
  const initFile = join(dir, 'init.sql');
  writeFileSync(
    initFile,
    [
      `CREATE USER IF NOT EXISTS '${account.user}'@'%' IDENTIFIED BY '${account.password}';`,
      `GRANT ALL PRIVILEGES ON *.* TO '${account.user}'@'%';`,
      `CREATE DATABASE IF NOT EXISTS ${account.database};`,
      '',
    ].join('\n'),
  );
  const args = [
    '--no-defaults',
    ...asUser(),
    `--datadir=${dataDir}`,
    // Relative to the data directory: the whole path may be longer than a socket's name can be.
    '--socket=mysql.sock',
    '--bind-address=127.0.0.1',
    `--port=${ports.mysql}`,
    `--ssl-ca=${join(tlsDir, 'ca.pem')}`,
    `--ssl-cert=${join(tlsDir, 'server.pem')}`,
    `--ssl-key=${join(tlsDir, 'server.key')}`,
    '--skip-name-resolve',
    `--pid-file=${join(dir, 'pid')}`,
    `--init-file=${initFile}`,
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=256M',
    '--max-connections=500',
  ];
  return startServer(server, args, {
    cwd: dir,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    logFile: logOf(home),
  });
}

/** Waits until the database answers, or until one of `processes` has ended. */
export async function waitForMysql(
  ports: Ports,
  home = servicesDir,
  processes: Startup['processes'] = {},
): Promise<void> {
  await waitUntilUp({
    name: 'the database',
    timeoutMs: START_TIMEOUT_MS,
    isUp: () => isDatabaseUp(ports),
    processes,
    ports: { mysql: ports.mysql },
    logs: [logOf(home)],
  });
}
