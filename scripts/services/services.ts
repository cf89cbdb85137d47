import { isDatabaseUp, isManagementUp } from './account.js';
import { type State, servicesState, withLock } from './state.js';
import { isTrueWithin } from './waiting.js';
import { areContainersUp, isDockerUp, startWithDocker, stopContainers } from './with-docker.js';
import { areProcessesAlive, canUsePackages, startWithPackages, stopPackages } from './with-packages.js';

const NEITHER_POSSIBLE =
  'RabbitMQ and MySQL can not be started here: run a container engine (`docker info` must work), or install the packages rabbitmq-server and mariadb-server (as root or with sudo they are installed for you on Debian and Ubuntu).';

const isRunning = (state: State) => (state.kind === 'docker' ? areContainersUp() : areProcessesAlive(state));

/** The servers that run, if they do. */
export function findRunning(): State | undefined {
  const state = servicesState.read();
  return state !== undefined && isRunning(state) ? state : undefined;
}

async function start(): Promise<State> {
  const running = findRunning();
  if (running !== undefined) {
    const { ports } = running;
    if (await isTrueWithin(60_000, async () => (await isDatabaseUp(ports)) && (await isManagementUp(ports))))
      return running;
  }
  const before = servicesState.read();
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

/** Starts RabbitMQ and MySQL where they are not running yet; resolves when both answer. */
export const startServices = () => withLock(start);

/** Ends what {@link startServices} started; says whether anything was running. Their data stays for the next start. */
export const stopServices = () =>
  withLock(async () => {
    const state = servicesState.read();
    const wasRunning = findRunning() !== undefined;
    if (state?.kind === 'docker') stopContainers();
    else if (state?.kind === 'packages') await stopPackages(state);
    return wasRunning;
  });
