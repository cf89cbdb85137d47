/** `npm run services [-- start | stop | env | status]`: RabbitMQ and MySQL for development and tests. */
import { busUrl, databaseUrl, isDatabaseUp, isManagementUp, managementUrl } from './account.js';
import { type State, readState, withLock } from './state.js';
import { isTrueWithin } from './waiting.js';
import { areContainersUp, isDockerUp, startWithDocker, stopContainers } from './with-docker.js';
import { areProcessesAlive, canUsePackages, startWithPackages, stopPackages } from './with-packages.js';

const NEITHER_POSSIBLE =
  'RabbitMQ and MySQL can not be started here: run a container engine (`docker info` must work), or install the packages rabbitmq-server and mariadb-server (as root or with sudo they are installed for you on Debian and Ubuntu).';

const isRunning = (state: State) => (state.kind === 'docker' ? areContainersUp() : areProcessesAlive(state));

async function start(): Promise<State> {
  const before = readState();
  if (before !== undefined && isRunning(before)) {
    const { ports } = before;
    if (await isTrueWithin(60_000, async () => (await isDatabaseUp(ports)) && (await isManagementUp(ports))))
      return before;
  }
  if (before?.kind !== 'packages' && isDockerUp()) {
    try {
      return await startWithDocker(before);
    } catch (error) {
      if (!canUsePackages()) throw error;
      console.error(`${(error as Error).message}; using the distribution's packages instead`);
    }
  }
  if (!canUsePackages()) throw new Error(NEITHER_POSSIBLE);
  return startWithPackages(before?.kind === 'packages' ? before : undefined);
}

const exportsOf = ({ ports }: State) => [
  `export GLIMPSE_DATABASE_URL='${databaseUrl(ports)}'`,
  `export GLIMPSE_BUS_URL='${busUrl(ports)}'`,
  `export GLIMPSE_TEST_BUS_MANAGEMENT_URL='${managementUrl(ports)}'`,
];

function runningState(): State {
  const state = readState();
  if (state === undefined || !isRunning(state))
    throw new Error('RabbitMQ and MySQL are not running; start them with: npm run services');
  return state;
}

const commands: Record<string, () => Promise<string[]>> = {
  start: () =>
    withLock(async () => {
      const state = await start();
      return [
        `RabbitMQ: ${busUrl(state.ports)} (management: ${managementUrl(state.ports)})`,
        `MySQL:    ${databaseUrl(state.ports)}`,
        'Use them in this shell: eval "$(npm run -s services -- env)"    End them: npm run services -- stop',
      ];
    }),
  stop: () =>
    withLock(async () => {
      const state = readState();
      if (state === undefined || !isRunning(state)) {
        if (state?.kind === 'packages') await stopPackages(state);
        return ['Nothing is running.'];
      }
      if (state.kind === 'docker') stopContainers();
      else await stopPackages(state);
      return ['RabbitMQ and MySQL are stopped.'];
    }),
  env: async () => exportsOf(runningState()),
  status: async () => {
    const { kind, ports } = runningState();
    return [`running (${kind}): ${busUrl(ports)} ${databaseUrl(ports)}`];
  },
};

const name = process.argv[2] ?? 'start';
const command = commands[name];
try {
  if (command === undefined) throw new Error(`no such command: ${name} (start, stop, env, status)`);
  console.log((await command()).join('\n'));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
