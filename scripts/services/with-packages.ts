import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { canInstallPackages, findProgram, installPackages } from './apt.js';
import { ensureCertificates } from './certificates.js';
import { mysqlPackages, startMysql, waitForMysql } from './mysql.js';
import { freePort } from './ports.js';
import { type ProcessRecord, isAlive, stopServer } from './processes.js';
import { rabbitmqPackages, startEpmd, startRabbitmq, waitForRabbitmq } from './rabbitmq.js';
import { type Ports, type State, servicesDir, servicesState } from './state.js';

const STOP_TIMEOUT_MS = 20_000;

const missingPackages = () => [
  ...rabbitmqPackages(),
  ...mysqlPackages(),
  ...(findProgram('openssl') ? [] : ['openssl']),
];

/** Whether the servers' programs are here or can be installed. */
export const canUsePackages = () =>
  process.platform === 'linux' && (missingPackages().length === 0 || canInstallPackages());

export async function choosePorts(): Promise<Ports> {
  return {
    amqp: await freePort(21_672),
    amqps: await freePort(21_676),
    management: await freePort(21_673),
    erlang: await freePort(21_674),
    epmd: await freePort(21_675),
    mysql: await freePort(21_306),
  };
}

export const areProcessesAlive = ({ processes }: State) =>
  ['epmd', 'rabbitmq', 'mysql'].every((name) => isAlive(processes[name]));

/** Installs what is missing where that is possible; else throws. */
export function ensurePackages(): void {
  if (missingPackages().length > 0) installPackages(missingPackages());
}

/** Starts what is not running yet as private instances of the distribution's packages. */
export async function startWithPackages(before: State | undefined): Promise<State> {
  ensurePackages();
  mkdirSync(join(servicesDir, 'log'), { recursive: true });
  ensureCertificates();
  const isAnyAlive = before !== undefined && Object.values(before.processes).some(isAlive);
  let state: State = {
    kind: 'packages',
    ports: isAnyAlive ? before.ports : await choosePorts(),
    processes: before?.processes ?? {},
  };
  const ensure = async (name: string, start: () => ProcessRecord | Promise<ProcessRecord>) => {
    if (isAlive(state.processes[name])) return;
    // Recorded at once, so that a process whose start is interrupted can still be ended.
    state = { ...state, processes: { ...state.processes, [name]: await start() } };
    servicesState.write(state);
  };
  await ensure('epmd', () => startEpmd(state.ports));
  await ensure('rabbitmq', () => startRabbitmq(state.ports));
  await ensure('mysql', () => startMysql(state.ports));
  const { epmd, rabbitmq, mysql } = state.processes;
  await waitForMysql(state.ports, servicesDir, { mysql });
  await waitForRabbitmq(state.ports, servicesDir, { epmd, rabbitmq });
  return state;
}

export async function stopPackages({ processes }: State): Promise<void> {
  await Promise.all([
    stopServer(processes['rabbitmq'], STOP_TIMEOUT_MS),
    stopServer(processes['mysql'], STOP_TIMEOUT_MS),
  ]);
  await stopServer(processes['epmd'], STOP_TIMEOUT_MS);
}
