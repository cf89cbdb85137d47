import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './apt.js';
import { account, isManagementUp } from './account.js';
import { tlsDir } from './certificates.js';
import { isOpen } from './ports.js';
import { type ProcessRecord, startServer } from './processes.js';
import { type Startup, waitUntilUp } from './starting.js';
import { type Ports, servicesDir } from './state.js';

const NODE = 'glimpse@localhost';
const EPMD_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 120_000;

const dirOf = (home: string) => join(home, 'rabbitmq');
const logOf = (home: string) => join(home, 'log', 'rabbitmq.log');

// The distribution's own /usr/sbin/rabbitmq-server changes to the system's user; the script behind it does not.
const findServer = () => findProgram('/usr/lib/rabbitmq/bin/rabbitmq-server', 'rabbitmq-server');

/** What has to be installed before RabbitMQ can run. */
export const rabbitmqPackages = () => (findServer() && findProgram('epmd') ? [] : ['rabbitmq-server']);

function writeSettings(ports: Ports, dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(dir, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
      `listeners.ssl.1 = 127.0.0.1:${ports.amqps}`,
      `ssl_options.cacertfile = ${join(tlsDir, 'ca.pem')}`,
      `ssl_options.certfile = ${join(tlsDir, 'server.pem')}`,
      `ssl_options.keyfile = ${join(tlsDir, 'server.key')}`,
      // A client may show a certificate, and it is checked then.
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${ports.management}`,
      `default_user = ${account.user}`,
      `default_pass = ${account.password}`,
      `default_vhost = ${account.vhost}`,
      'disk_free_limit.absolute = 200MB',
      '',
    ].join('\n'),
  );
  writeFileSync(join(dir, 'enabled_plugins'), '[rabbitmq_management].\n');
  // The node's name is to be found where /etc/hosts does not have it.
  writeFileSync(join(dir, 'inetrc'), '{host, {127,0,0,1}, ["localhost"]}.\n{lookup, [file, native]}.\n');
  // An empty one, so that the system's settings are not read.
  writeFileSync(join(dir, 'rabbitmq-env.conf'), '');
}

/** With the mark by which a test run finds what it has left behind. */
function environment(ports: Ports, dir: string): NodeJS.ProcessEnv {
  return {
    GLIMPSE_TEST_RUN: process.env['GLIMPSE_TEST_RUN'],
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    LANG: 'C.UTF-8',
    HOME: dir,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(ports.epmd),
    RABBITMQ_NODENAME: NODE,
    ERL_INETRC: join(dir, 'inetrc'),
    RABBITMQ_DIST_PORT: String(ports.erlang),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONF_ENV_FILE: join(dir, 'rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_PID_FILE: join(dir, 'pid'),
  };
}

/** Erlang's name server. RabbitMQ would start one that outlives it, so it gets one that is ours to end. */
export async function startEpmd(ports: Ports, home = servicesDir): Promise<ProcessRecord> {
  const record = start(findProgram('epmd')!, ports, home);
  await waitUntilUp({
    name: 'epmd',
    timeoutMs: EPMD_TIMEOUT_MS,
    isUp: () => isOpen(ports.epmd),
    processes: { epmd: record },
    ports: { epmd: ports.epmd },
    logs: [logOf(home)],
  });
  return record;
}

/** Starts RabbitMQ, which keeps everything in `home`, without waiting for it. */
export const startRabbitmq = (ports: Ports, home = servicesDir): ProcessRecord =>
  start(findServer()!, ports, home);

function start(program: string, ports: Ports, home: string): ProcessRecord {
  const dir = dirOf(home);
  writeSettings(ports, dir);
  return startServer(program, [], { cwd: dir, env: environment(ports, dir), logFile: logOf(home) });
}

/** Waits until RabbitMQ and its management API answer, or until one of `processes` has ended. */
export async function waitForRabbitmq(
  ports: Ports,
  home = servicesDir,
  processes: Startup['processes'] = {},
): Promise<void> {
  await waitUntilUp({
    name: 'RabbitMQ',
    timeoutMs: START_TIMEOUT_MS,
    isUp: () => isManagementUp(ports),
    processes,
    ports: { amqp: ports.amqp, amqps: ports.amqps, management: ports.management, epmd: ports.epmd },
    logs: [logOf(home), join(dirOf(home), 'log', `${NODE}.log`)],
  });
}
