import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { account, isDatabaseUp, isManagementUp } from './account.js';
import { ensureCertificates, tlsDir } from './certificates.js';
import { choosePorts } from './with-packages.js';
import { waitUntilUp } from './starting.js';
import { type Ports, type State, root, servicesDir, servicesState } from './state.js';

const RABBITMQ_IMAGE = 'rabbitmq:4-management';
const MYSQL_IMAGE = 'mysql:8.4';
const START_TIMEOUT_MS = 120_000;

// Each working copy has its own containers.
const suffix = createHash('sha256').update(root).digest('hex').slice(0, 8);
const names = { rabbitmq: `glimpse-rabbitmq-${suffix}`, mysql: `glimpse-mysql-${suffix}` };

const docker = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8' });

/** What a container has said on both of its outputs. */
const logOf = (name: string) => ({
  from: `docker logs ${name}`,
  read: () => docker('logs', name).output.join(''),
});

/** Whether a container engine runs here. */
export const isDockerUp = () => docker('info', '--format', '{{.ServerVersion}}').status === 0;

export const areContainersUp = () =>
  Object.values(names).every((name) =>
    docker('inspect', '--format', '{{.State.Running}}', name).stdout.startsWith('true'),
  );

interface Container {
  readonly image: string;
  /** From the port of this machine to that of the container. */
  readonly ports: Readonly<Record<number, number>>;
  readonly env: Readonly<Record<string, string>>;
  /** From files of this machine to those of the container. */
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

function ensureContainer(name: string, { image, ports, env, files, args = [] }: Container): void {
  if (docker('start', name).status === 0) return;
  const { status, stderr } = docker(
    'run',
    '--detach',
    `--name=${name}`,
    ...Object.entries(ports).map(([here, there]) => `--publish=127.0.0.1:${here}:${there}`),
    ...Object.entries(env).map(([key, value]) => `--env=${key}=${value}`),
    ...Object.entries(files).map(([here, there]) => `--volume=${here}:${there}:ro`),
    image,
    ...args,
  );
  if (status !== 0) throw new Error(`docker run ${name} failed: ${stderr.trim()}`);
}

/** Where the certificates are in the containers. */
const TLS = '/glimpse-tls';

function writeTlsSettings(): string {
  const file = join(servicesDir, 'rabbitmq-tls.conf');
  writeFileSync(
    file,
    [
      'listeners.ssl.1 = 5671',
      `ssl_options.cacertfile = ${TLS}/ca.pem`,
      `ssl_options.certfile = ${TLS}/server.pem`,
      `ssl_options.keyfile = ${TLS}/server.key`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
      '',
    ].join('\n'),
  );
  return file;
}

function ensureContainers(ports: Ports): void {
  ensureCertificates();
  ensureContainer(names.rabbitmq, {
    image: RABBITMQ_IMAGE,
    ports: { [ports.amqp]: 5672, [ports.amqps]: 5671, [ports.management]: 15_672 },
    files: { [tlsDir]: TLS, [writeTlsSettings()]: '/etc/rabbitmq/conf.d/90-glimpse-tls.conf' },
    env: {
      RABBITMQ_DEFAULT_USER: account.user,
      RABBITMQ_DEFAULT_PASS: account.password,
      RABBITMQ_DEFAULT_VHOST: account.vhost,
    },
  });
  ensureContainer(names.mysql, {
    image: MYSQL_IMAGE,
    ports: { [ports.mysql]: 3306 },
    files: { [tlsDir]: TLS },
    args: [`--ssl-ca=${TLS}/ca.pem`, `--ssl-cert=${TLS}/server.pem`, `--ssl-key=${TLS}/server.key`],
    env: { MYSQL_ROOT_PASSWORD: account.password, MYSQL_DATABASE: account.database },
  });
}

/** MySQL's image gives a user rights on one database only; tests make their own. */
function grantEverything(): boolean {
  const statements = [
    `CREATE USER IF NOT EXISTS '${account.user}'@'%' IDENTIFIED BY '${account.password}'`,
    `GRANT ALL PRIVILEGES ON *.* TO '${account.user}'@'%'`,
  ].join(';');
  const login = ['mysql', '--host=127.0.0.1', '--user=root', `--password=${account.password}`];
  return docker('exec', names.mysql, ...login, '--execute', statements).status === 0;
}

/** Starts what is not running yet in containers. */
export async function startWithDocker(before: State | undefined): Promise<State> {
  const ports = before?.kind === 'docker' ? before.ports : await choosePorts();
  ensureContainers(ports);
  const state: State = { kind: 'docker', ports, processes: {} };
  servicesState.write(state);
  await waitUntilUp({
    name: 'MySQL',
    timeoutMs: START_TIMEOUT_MS,
    isUp: async () => grantEverything() && (await isDatabaseUp(ports)),
    ports: { mysql: ports.mysql },
    logs: [logOf(names.mysql)],
  });
  await waitUntilUp({
    name: 'RabbitMQ',
    timeoutMs: START_TIMEOUT_MS,
    isUp: () => isManagementUp(ports),
    ports: { amqp: ports.amqp, amqps: ports.amqps, management: ports.management },
    logs: [logOf(names.rabbitmq)],
  });
  return state;
}

/** The containers are kept, with their data, for the next start. */
export function stopContainers(): void {
  docker('stop', '--time', '20', names.rabbitmq, names.mysql);
}
