/** `npm run services [-- start | stop | env | status]`: RabbitMQ and MySQL for development and tests. */
import { busUrl, databaseUrl, managementUrl } from './account.js';
import { findRunning, startServices, stopServices } from './services.js';
import type { State } from './state.js';

function running(): State {
  const state = findRunning();
  if (state === undefined)
    throw new Error('RabbitMQ and MySQL are not running; start them with: npm run services');
  return state;
}

const commands: Record<string, () => Promise<string[]>> = {
  start: async () => {
    const { ports } = await startServices();
    return [
      `RabbitMQ: ${busUrl(ports)} (management: ${managementUrl(ports)})`,
      `MySQL:    ${databaseUrl(ports)}`,
      'Use them in this shell: eval "$(npm run -s services -- env)"    End them: npm run services -- stop',
    ];
  },
  stop: async () => [(await stopServices()) ? 'RabbitMQ and MySQL are stopped.' : 'Nothing was running.'],
  env: async () => {
    const { ports } = running();
    const variables = {
      GLIMPSE_DATABASE_URL: databaseUrl(ports),
      GLIMPSE_BUS_URL: busUrl(ports),
      // For tests that are run by hand, without `npm test`.
      GLIMPSE_TEST_DATABASE_URL: databaseUrl(ports),
      GLIMPSE_TEST_BUS_URL: busUrl(ports),
      GLIMPSE_TEST_BUS_MANAGEMENT_URL: managementUrl(ports),
    };
    return Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  },
  status: async () => {
    const { kind, ports } = running();
    return [`running (${kind}): ${busUrl(ports)} ${databaseUrl(ports)}`];
  },
};

const name = process.argv[2] ?? 'start';
try {
  const command = commands[name];
  if (command === undefined) throw new Error(`no such command: ${name} (start, stop, env, status)`);
  console.log((await command()).join('\n'));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
